package refeval

import (
	"reflect"
	"slices"
	"time"
)

// dates are the instants that are kept of a declared property: the last value before the present
// one, the present one since it began, and when that was last sent again.
type dates struct {
	before, begin datedValue
	again         time.Time // undated if it never was
}

// datedValue is a value with the date at which it was sent.
type datedValue struct {
	at    time.Time
	value any
}

// undated is the date of a value whose date is not known. It is before every other.
var undated = time.Date(-1000, time.January, 1, 0, 0, 0, 0, time.UTC)

// apart is how far apart repetitions are that are noted.
const apart = time.Hour

// set gives a property a value, or removes it. That of a declared property goes to its place among
// what is known of others; the newest one is the value of the property.
func (u *user) set(key string, value any, at time.Time) {
	is := u.facts.Properties[key]
	if !u.world.declared[key] {
		u.put(key, value)
		return
	}
	d := u.known(key)
	marks := []datedValue{d.before, d.begin}
	if !d.again.Equal(undated) {
		marks = append(marks, datedValue{d.again, is})
	}
	place := len(marks)
	for place > 0 && marks[place-1].at.After(at) {
		place--
	}
	newest := place == len(marks)
	marks = slices.Insert(marks, place, datedValue{at, value})
	present := len(marks) - 1
	first := 1 // the oldest value that may be of the present value
	if place == 0 {
		first = 2
	}
	for present > first && reflect.DeepEqual(marks[present-1].value, marks[len(marks)-1].value) {
		present--
	}
	d.before, d.begin = marks[present-1], marks[present]
	if d.again.Equal(undated) && d.begin.at.Before(marks[len(marks)-1].at) && !newest {
		d.again = marks[len(marks)-1].at // the present value began earlier than it seemed
	}
	switch again := reflect.DeepEqual(value, is); {
	case newest && !again:
		d.again = undated
		u.put(key, value)
	case newest && (d.again.Equal(undated) || !at.Before(d.again.Add(apart))):
		d.again = at
	}
	u.remember(key, d)
}

// known returns what is kept of a property.
func (u *user) known(key string) dates {
	d, known := u.dates[key]
	if !known {
		d = dates{before: datedValue{at: undated}, begin: datedValue{at: undated}, again: undated}
	}
	d.begin.value = u.facts.Properties[key]
	return d
}

// remember keeps the dates of a property. Criteria see the last change among them.
func (u *user) remember(key string, d dates) {
	u.dates[key] = d
	delete(u.facts.Changes, key)
	if !d.begin.at.Equal(undated) {
		u.facts.Changes[key] = Change{Was: d.before.value, At: d.begin.at}
	}
}

func (u *user) put(key string, value any) {
	if value == nil {
		delete(u.facts.Properties, key)
	} else {
		u.facts.Properties[key] = value
	}
}

// inherit takes over another user's properties where they are newer, with their dates, or where
// there is none and neither is dated.
func (u *user) inherit(other *user) {
	keys := map[string]bool{}
	for key := range other.facts.Properties {
		keys[key] = true
	}
	for key := range other.dates {
		keys[key] = true
	}
	for key := range keys {
		own, theirs := u.known(key), other.known(key)
		neither := own.newest().Equal(undated) && theirs.newest().Equal(undated)
		if _, has := u.facts.Properties[key]; theirs.newest().After(own.newest()) || neither && !has {
			u.put(key, other.facts.Properties[key])
			u.remember(key, theirs)
		}
	}
}

func (d dates) newest() time.Time {
	if d.again.After(d.begin.at) {
		return d.again
	}
	return d.begin.at
}
