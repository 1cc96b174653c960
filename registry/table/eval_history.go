package table

import (
	"slices"
	"time"
)

// LastChange is the last change of a property: what it was before, and since when it is what it is.
type LastChange struct {
	Property PropertyIndex
	Was      Value // missing if it was not set
	At       Instant
}

// SetLastChange says how a property changed last. It is kept only where some criteria asks for it.
func (f *Facts) SetLastChange(c LastChange) {
	if !f.registry.Properties[c.Property].History {
		return
	}
	// The slice may be somebody else's too. It is short: few properties have a history.
	changes := make([]LastChange, 0, len(f.lastChanges)+1)
	for _, other := range f.lastChanges {
		if other.Property != c.Property {
			changes = append(changes, other)
		}
	}
	changes = append(changes, c)
	f.lastChanges = changes
}

// LastChanges returns the last changes of properties that some criteria asks for. They must not be changed, and will not be.
func (f *Facts) LastChanges() []LastChange { return f.lastChanges }

// SetLastChanges sets all changes to what [Facts.Changes] returned before.
func (f *Facts) SetLastChanges(changes []LastChange) { f.lastChanges = changes }

// HasBeen holds while the property equals v in type and value and has for at least d. A value of which no change is known
// has been there for ever.
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

// Changed holds while the last change of the property was one from a value to another, each missing if any will do, and
// happened in (now-d, now].
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
