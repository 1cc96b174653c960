package table

import (
	"slices"
	"time"
)

// LastChange is the last change of a property: its value before, and the instant at which it got
// its present value.
type LastChange struct {
	Property PropertyIndex
	Was      Value // missing if it was not set
	At       Instant
}

// SetLastChange sets the last change of a property. It does nothing if no criteria asks for the
// history of the property.
func (f *Facts) SetLastChange(c LastChange) {
	if !f.registry.Properties[c.Property].History {
		return
	}
	// Other facts may share the slice, so it is copied. It is short: few properties have a history.
	changes := make([]LastChange, 0, len(f.lastChanges)+1)
	for _, other := range f.lastChanges {
		if other.Property != c.Property {
			changes = append(changes, other)
		}
	}
	changes = append(changes, c)
	f.lastChanges = changes
}

// LastChanges returns the last changes of properties whose history some criteria asks for. The
// slice is immutable.
func (f *Facts) LastChanges() []LastChange { return f.lastChanges }

// SetLastChanges sets all changes to an earlier result of [Facts.LastChanges].
func (f *Facts) SetLastChanges(changes []LastChange) { f.lastChanges = changes }

// HasBeen holds while the property equals v in type and value, and has for at least d. A value
// without a known change has been there for ever.
func (f *Facts) HasBeen(p PropertyIndex, v Value, d time.Duration) Verdict {
	c := f.lastChange(p)
	switch {
	case !f.value(p).Equal(v):
		return fixed(false)
	case c == nil:
		return fixed(true)
	default:
		return f.between(true, c.At.Add(d), Never)
	}
}

// Changed holds while the last change of the property was from one value to another and happened in
// (now-d, now]. A missing value stands for any.
func (f *Facts) Changed(p PropertyIndex, from, to Value, d time.Duration) Verdict {
	c := f.lastChange(p)
	if c == nil || from.Exists() && !c.Was.Equal(from) || to.Exists() && !f.value(p).Equal(to) {
		return fixed(false)
	}
	return f.between(true, c.At, c.At.Add(d))
}

func (f *Facts) lastChange(p PropertyIndex) *LastChange {
	i := slices.IndexFunc(f.lastChanges, func(c LastChange) bool { return c.Property == p })
	if i < 0 {
		return nil
	}
	return &f.lastChanges[i]
}
