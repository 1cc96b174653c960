package table

import "slices"

// Facts is what is known of one user: the values of their properties and, per signal that some criteria asks about, as
// much as the registry needs: the instants of the newest occurrences, totals, and how far they have come in sequences.
// Criteria are evaluated on it at an instant that the caller names.
//
// Facts may be incomplete. A fact that is not loaded is read as if there were none, and recorded:
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
	own         []Own            // values that their keys do not tell, sorted
	asked       []uint64         // by guard: the bits of what is asked about at its place
	shared      bool             // keys, own and asked belong to somebody else, too, and must not be changed
	lastChanges []LastChange     // last ones, of properties that have a history
	all         bySignal[series] // newest instants
	recalled    []Dated          // room for those that the memory has
	totals      bySignal[total]
	sums        []*sum
	payload     *Facts // the field of a single occurrence, while a condition looks at it
	sequences   sequenceFacts
	lacks       []Need
	complete    bool
	memory      Memory // where facts that are not loaded may be

	members     Memberships   // nil: the user is in no bucket
	pastWindows []*pastWindow // of windows that end some time ago
}

// NewFacts returns the facts of a user of whom nothing is known and nothing is loaded.
func (r *Registry) NewFacts(user string) *Facts {
	n := len(r.Properties)
	return &Facts{registry: r, user: user, codes: make([]int32, max(n, 1)), asked: make([]uint64, len(r.flat().guards))} // gates always ask about one
}

// Values are those of all properties of a user, as the registry knows them. What criteria compare them with is told by a
// number, so that a user who is remembered takes little memory, and hardly any pointers.
type Values struct {
	codes []int32
	own   []Own // sorted
	asked []uint64
}

// Own is the value of a property where it is none that criteria compare with.
type Own struct {
	Property PropertyIndex
	Value    Value
}

// Own returns the values that no others share. They must not be changed, but for texts that are replaced by the same.
func (v Values) Own() []Own { return v.own }

// Size is roughly how many bytes of memory the values take.
func (v Values) Size() int {
	const key, own, asked = 4, 64, 8
	n := key*len(v.codes) + own*len(v.own) + asked*len(v.asked)
	for i := range v.own {
		n += v.own[i].Value.Size()
	}
	return n
}

// NewFactsWith is as NewFacts, of a user whose properties have values that [Facts.Values] returned before.
func (r *Registry) NewFactsWith(user string, v Values) *Facts {
	f := &Facts{}
	r.ReuseFacts(f, user, v)
	return f
}

// ReuseFacts lets facts be what NewFactsWith returns, in the memory that they have. What they were before is gone, and so is
// whatever they returned, but for [Facts.Values], [Facts.Changes] and [Facts.Lacks].
func (r *Registry) ReuseFacts(f *Facts, user string, v Values) {
	*f = Facts{
		registry: r, user: user, codes: v.codes, own: v.own, asked: v.asked, shared: true,
		all: f.all.emptied(), totals: f.totals.emptied(), recalled: f.recalled[:0],
	}
}

// Values returns the values of all properties. They must not be changed, and will not be: from now on they are shared.
func (f *Facts) Values() Values {
	f.shared = true
	return Values{f.codes, f.own, f.asked}
}

// Complete declares that whatever was not loaded does not exist, so that nothing is ever lacking.
func (f *Facts) Complete() *Facts {
	f.complete = true
	return f
}

// SetProperty sets the value of a property, and of what lies inside of it. A text becomes an instant where the property is
// declared as a time.
func (f *Facts) SetProperty(p PropertyIndex, v Value) {
	if f.shared {
		f.codes, f.own, f.asked, f.shared = slices.Clone(f.codes), slices.Clone(f.own), slices.Clone(f.asked), false
	}
	f.put(p, v)
	f.setPaths(p, v)
}

// put sets the value of one row, as the type of the property wants it.
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

// keyed returns the value of a property that its key tells, or nil.
func (f *Facts) coded(p PropertyIndex) *Value {
	return f.registry.flat().dictionaries[p].value(f.codes[p])
}

// placeOf returns where a value is, or would be, among those that keys do not tell.
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

// between is the verdict of a condition that, if it holds at all, holds from begin until just before end.
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
