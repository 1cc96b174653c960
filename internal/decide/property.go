package decide

import (
	"maps"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// A declared property has the value with the newest date, whatever the order of arrival. Of two
// values with one date, the later arrival counts. The date is that of the event. Three dates of a
// property are kept: when its value began, when the value before was last sent, and when the value
// was last sent again. A late value is put in its place among these. A property that is not
// declared has the value that arrived last. docs/reference/criteria.md says how exact that is.

// repeatEvery is the least distance between two stored dates of a repeated value. Repetitions in
// between write nothing.
const repeatEvery = time.Hour

// PropertyChange is the last change of a declared property.
type PropertyChange struct {
	Was   []byte        // value before, as JSON; null if there was none
	WasAt table.Instant // newest date of the value before; Unset if none is known
	At    table.Instant // oldest date of the present value; Unset if no change is known

	// Follows means that WasAt is the At of the change before, which a session that sets the newest
	// value need not load.
	Follows bool
}

// Repeat is the date at which a declared property was last sent again with the value that it has.
type Repeat struct {
	Property string
	At       table.Instant
}

// repeatedAt returns the stored date of the last repetition of a property's value, or Unset.
func (c *Contact) repeatedAt(property string) table.Instant {
	for i := range c.Repeats {
		if c.Repeats[i].Property == property {
			return c.Repeats[i].At
		}
	}
	return table.Unset
}

// setRepeated stores the date of a repetition, or removes it if that is Unset. It replaces the
// slice, which may be shared.
func (c *Contact) setRepeated(property string, at table.Instant) {
	repeats := slices.DeleteFunc(slices.Clone(c.Repeats), func(r Repeat) bool { return r.Property == property })
	if at != table.Unset {
		repeats = append(repeats, Repeat{property, at})
	}
	c.Repeats = repeats
}

// lastChange returns the last change of a declared property, and whether that is known.
func (st *State) lastChange(property string) (last PropertyChange, known bool) {
	last, known = st.Changes[property]
	if !known {
		last = PropertyChange{Was: []byte("null"), WasAt: table.Unset, At: table.Unset}
	}
	return last, known || st.Complete
}

// set gives a property of the contact a value as of a date, or removes it if the value is null. It
// reports whether that changes what criteria see. A late value needs the last change of the
// property, which is lacking if it is not loaded.
func (s *Session) set(f payload.Field, p table.PropertyIndex, declared bool, at table.Instant) bool {
	contact := &s.state.Contact
	is := contact.Properties.Get(f.Key)
	same := f.Same(is)
	if !declared {
		if !same {
			s.put(f)
		}
		return !same
	}
	last, known := s.state.lastChange(f.Key)
	repeated := contact.repeatedAt(f.Key)
	switch {
	case at >= contact.WrittenAt, known && at >= max(last.At, repeated):
		if same {
			s.repeat(f.Key, at, repeated)
			return false
		}
		s.overwrite(f, p, is, at)
		return true
	case !known, last.Follows && at < last.At:
		s.lacks.addProperty(p)
		return false
	default:
		return s.late(f, p, same, at, last, repeated)
	}
}

// late puts a value in its place before the present one. It reports whether criteria see that: they
// see the value before, and since when the present value has been there.
func (s *Session) late(
	f payload.Field, p table.PropertyIndex, same bool, at table.Instant, last PropertyChange, repeated table.Instant,
) bool {
	switch {
	case at >= last.At && same, at < last.WasAt:
		return false
	case at >= last.At: // the present value was sent before it, and again after it
		last = PropertyChange{Was: f.Raw, WasAt: at, At: repeated}
	case same: // the present value began earlier, and was sent again when it was thought to begin
		if repeated == table.Unset && at < last.At {
			s.noteRepeat(f.Key, last.At)
		}
		last.At = at
	default:
		last.Was, last.WasAt = f.Raw, at
	}
	s.change(f.Key, p, last)
	return s.registry.Properties[p].History
}

// overwrite gives a declared property its newest value.
func (s *Session) overwrite(f payload.Field, p table.PropertyIndex, is payload.Field, at table.Instant) {
	contact := &s.state.Contact
	last, known := s.state.lastChange(f.Key)
	repeated := contact.repeatedAt(f.Key)
	change := PropertyChange{Was: is.Raw, WasAt: repeated, At: at}
	if known {
		change.WasAt = max(last.At, repeated)
	} else {
		change.Follows = repeated == table.Unset
	}
	s.put(f)
	s.state.Facts.SetProperty(p, f.Whole())
	s.change(f.Key, p, change)
	if repeated != table.Unset {
		contact.setRepeated(f.Key, table.Unset)
		s.contactChange().setRepeat(f.Key, table.Unset)
	}
	s.dated(at)
}

// repeat stores that a declared property was sent again with its value, unless a date within
// repeatEvery is stored.
func (s *Session) repeat(key string, at, noted table.Instant) {
	if noted != table.Unset && at < noted.Add(repeatEvery) {
		return
	}
	s.noteRepeat(key, at)
	s.dated(at)
}

func (s *Session) noteRepeat(key string, at table.Instant) {
	s.state.Contact.setRepeated(key, at)
	s.contactChange().setRepeat(key, at)
}

// dated stores that a declared property has a value of that date.
func (s *Session) dated(at table.Instant) {
	contact := &s.state.Contact
	contact.WrittenAt = max(contact.WrittenAt, at)
	s.contactChange().WrittenAt = contact.WrittenAt
}

// change stores the last change of a declared property.
func (s *Session) change(key string, p table.PropertyIndex, c PropertyChange) {
	was, err := payload.StoredValue(c.Was)
	if err != nil { // impossible: it was read before
		was = table.Value{}
	}
	s.state.Facts.SetLastChange(table.LastChange{Property: p, Was: was, At: c.At})
	if s.state.Changes == nil {
		s.state.Changes = map[string]PropertyChange{}
	}
	s.state.Changes[key] = c
	s.contactChange().setChange(key, c)
}

// put gives a property of the contact a value, or removes it.
func (s *Session) put(f payload.Field) {
	contact := &s.state.Contact
	contact.Properties.Put(f)
	s.touched.add(f.Key)
	change := s.contactChange()
	if f.Key == "email" {
		contact.Email = f.Value.Text
		change.Email = &contact.Email
	}
}

func (s *Session) contactChange() *ContactChange {
	if s.contact == nil {
		s.contact = &ContactChange{WrittenAt: s.state.Contact.WrittenAt}
	}
	s.contact.At, s.state.Contact.UpdatedAt = s.now, s.now
	return s.contact
}

// InheritProperties gives the survivor of a merge the properties of the loser: of each property the
// value with the newer date, with all of its dates. A value without a date only fills a gap.
func (st *State) InheritProperties(from *State) {
	contact, other := &st.Contact, &from.Contact
	keys := map[string]bool{}
	for _, f := range other.Properties.Fields() {
		keys[f.Key] = true
	}
	for key := range from.Changes {
		keys[key] = true
	}
	for _, r := range other.Repeats {
		keys[r.Property] = true
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		own, theirs := st.sentAt(key), from.sentAt(key)
		gap := own == table.Unset && theirs == table.Unset && !contact.Properties.Get(key).Value.Exists()
		if theirs <= own && !gap {
			continue
		}
		f := other.Properties.Get(key)
		contact.Properties.Put(f)
		contact.setRepeated(key, other.repeatedAt(key))
		delete(st.Changes, key)
		if change, known := from.Changes[key]; known {
			st.Changes[key] = change
		}
		if key == "email" {
			contact.Email = other.Email
		}
	}
	contact.UpdatedAt, contact.WrittenAt = max(contact.UpdatedAt, other.UpdatedAt), max(contact.WrittenAt, other.WrittenAt)
}

// sentAt returns the newest known date of a property's value, or Unset.
func (st *State) sentAt(property string) table.Instant {
	last, _ := st.lastChange(property)
	return max(last.At, st.Contact.repeatedAt(property))
}
