package table

import "slices"

// Facts is the engine's knowledge of one user: the values of their properties and, per signal that
// some criteria asks about, the instants of the newest occurrences, totals, and progress in
// sequences, as much as the registry needs. Criteria are evaluated on it at an instant that the
// caller names.
//
// Facts may be incomplete. A fact that is not loaded is read as if it did not exist, and recorded:
// [Registry.Evaluate] reports that it happened, [Facts.Lacks] returns which facts to load before
// evaluating again.
//
// A Facts is for one goroutine.
type Facts struct {
	registry    *Registry
	now         Instant          // of the evaluation that runs, or ran last
	user        string           // their id
	fields      []Value          // by Field, of a payload
	codes       []int32          // of the values of properties, by Property
	own         []Own            // values without a code of their own, sorted
	asked       []uint64         // by guard: the bits of the terms of the open partition
	shared      bool             // codes, own and asked are shared: copy before a change
	lastChanges []LastChange     // of properties with a history
	all         bySignal[series] // newest instants
	recalled    []Dated          // buffer for instants from memory
	totals      bySignal[total]
	sums        []*sum
	payload     *Facts // the field of a single occurrence, while a condition reads it
	sequences   sequenceFacts
	lacks       []Need
	complete    bool
	memory      Memory // cache of facts that are not loaded; may be nil

	members     Memberships   // nil: the user is in no bucket
	pastWindows []*pastWindow // the loaded parts
}

// NewFacts returns the facts of a user without properties, and with nothing loaded.
func (r *Registry) NewFacts(user string) *Facts {
	n := len(r.Properties)
	// Range tests read code 0 even without properties.
	return &Facts{registry: r, user: user, codes: make([]int32, max(n, 1)), asked: make([]uint64, len(r.flat().guards))}
}

// Values are the values of all properties of a user. A value that criteria compare with is stored
// as its code, so that a cached user takes little memory and hardly any pointers.
type Values struct {
	codes []int32
	own   []Own // sorted
	asked []uint64
}

// Own is the value of a property that has no code of its own.
type Own struct {
	Property PropertyIndex
	Value    Value
}

// Own returns the values that have no code of their own. They must not be changed, except that a
// text may be replaced by an equal one.
func (v Values) Own() []Own { return v.own }

// Size is roughly how many bytes of memory the values take.
func (v Values) Size() int {
	const code, own, asked = 4, 64, 8
	n := code*len(v.codes) + own*len(v.own) + asked*len(v.asked)
	for i := range v.own {
		n += v.own[i].Value.Size()
	}
	return n
}

// NewFactsWith is NewFacts for a user whose properties have the values that [Facts.Values] returned
// before.
func (r *Registry) NewFactsWith(user string, v Values) *Facts {
	f := &Facts{}
	r.ReuseFacts(f, user, v)
	return f
}

// ReuseFacts makes of facts what NewFactsWith returns, and reuses their memory. Everything that
// they returned before becomes invalid, except the results of [Facts.Values], [Facts.LastChanges]
// and [Facts.Lacks].
func (r *Registry) ReuseFacts(f *Facts, user string, v Values) {
	*f = Facts{
		registry: r, user: user, codes: v.codes, own: v.own, asked: v.asked, shared: true,
		all: f.all.emptied(), totals: f.totals.emptied(), recalled: f.recalled[:0],
	}
}

// Values returns the values of all properties. They are immutable: the facts copy them before the
// next change.
func (f *Facts) Values() Values {
	f.shared = true
	return Values{f.codes, f.own, f.asked}
}

// Complete declares that facts which were not loaded do not exist, so that nothing is ever lacking.
func (f *Facts) Complete() *Facts {
	f.complete = true
	return f
}

// SetProperty sets the value of a property, and of the properties inside it. A text becomes an
// instant if the property is declared as a time.
func (f *Facts) SetProperty(p PropertyIndex, v Value) {
	if f.shared {
		f.codes, f.own, f.asked, f.shared = slices.Clone(f.codes), slices.Clone(f.own), slices.Clone(f.asked), false
	}
	f.put(p, v)
	f.setPaths(p, v)
}

// put sets the value of one row, converted to the type of the property.
func (f *Facts) put(p PropertyIndex, v Value) {
	v = v.as(f.registry.Properties[p].Type)
	x := f.registry.flat()
	f.codes[p] = x.dictionaries[p].code(&v)
	if g := x.guardOf[p]; g >= 0 {
		f.asked[g] = x.partitionOf(g, f.codes).terms
	}
	i, has := f.ownPosition(p)
	switch own := v.Exists() && f.coded(p) == nil; {
	case own && has:
		f.own[i].Value = v
	case own:
		f.own = slices.Insert(f.own, i, Own{p, v})
	case has:
		f.own = slices.Delete(f.own, i, i+1)
	}
}

// value returns the value of a property, or of a field in a payload. It must not be changed.
func (f *Facts) value(p PropertyIndex) *Value {
	if f.fields != nil {
		return &f.fields[p]
	}
	if v := f.coded(p); v != nil {
		return v
	}
	if i, has := f.ownPosition(p); has {
		return &f.own[i].Value
	}
	return &missing
}

var missing Value

// coded returns the value of a property that its code determines, or nil.
func (f *Facts) coded(p PropertyIndex) *Value {
	return f.registry.flat().dictionaries[p].value(f.codes[p])
}

// ownPosition returns the position that the value of a property has, or would have, in own.
func (f *Facts) ownPosition(p PropertyIndex) (int, bool) {
	return slices.BinarySearchFunc(f.own, p, func(o Own, p PropertyIndex) int { return order(o.Property, p) })
}

// Property returns the value of a property.
func (f *Facts) Property(p PropertyIndex) Value { return *f.value(p) }

// Exists holds while the property has a value.
func (f *Facts) Exists(p PropertyIndex) Verdict { return fixed(f.value(p).Exists()) }

// Is holds while the property equals v in type and value.
//
//go:noinline
func (f *Facts) Is(p PropertyIndex, v Value) Verdict { return fixed(f.value(p).Equal(v)) }

// Since holds from an instant on.
func (f *Facts) Since(t Instant) Verdict { return f.between(true, t, Never) }

// Until holds before an instant.
func (f *Facts) Until(t Instant) Verdict { return f.between(true, Unset, t) }

// between is the verdict of a condition that, if it holds at all, holds from begin until just
// before end.
func (f *Facts) between(possible bool, begin, end Instant) Verdict {
	switch {
	case !possible || f.now >= end:
		return Verdict{false, Never}
	case f.now < begin:
		return Verdict{false, begin}
	default:
		return Verdict{true, end}
	}
}

// fixed is the verdict of a condition that no clock changes.
func fixed(holds bool) Verdict { return Verdict{holds, Never} }
