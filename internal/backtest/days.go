package backtest

import (
	"maps"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Change is a change of a user's membership in a bucket.
type Change struct {
	At   table.Instant
	Kind ChangeKind
}

// ChangeKind is how a membership changes.
type ChangeKind uint8

// The changes of a membership. A deleted user is no longer a member, and did not leave.
const (
	Entered ChangeKind = iota
	Left
	Vanished
)

// Changes returns the changes of a user's membership in the bucket, from the user's transitions.
// The user may have been deleted meanwhile.
func Changes(made []decide.Transition, b table.BucketIndex) []Change {
	var changes []Change
	for i := range made {
		switch t := &made[i]; {
		case t.Bucket != b:
		case t.Kind == bucketgen.Entered:
			changes = append(changes, Change{t.At, Entered})
		case t.Kind == bucketgen.Left:
			changes = append(changes, Change{t.At, Left})
		}
	}
	return changes
}

// vanish ends the membership of a user who was deleted by an instant.
func vanish(changes []Change, deleted, until table.Instant) []Change {
	if n := len(changes); deleted <= until && n > 0 && changes[n-1].Kind == Entered {
		changes = append(slices.Clip(changes), Change{deleted, Vanished})
	}
	return changes
}

// Day holds the changes of a bucket on a day in UTC.
type Day struct {
	Entered int64
	Left    int64
	Members int64 // at its end
}

// Bucket adds up the changes of one bucket. The zero value has none.
type Bucket struct {
	Entered int64
	Left    int64
	days    map[int64]*Day // by number of the day since 1970; Members holds the difference to the day before
}

// Add adds the changes of a user.
func (b *Bucket) Add(changes []Change, deleted, until table.Instant) {
	if b.days == nil {
		b.days = map[int64]*Day{}
	}
	for _, c := range vanish(changes, deleted, until) {
		day := entry(b.days, DayOf(c.At))
		switch c.Kind {
		case Entered:
			b.Entered++
			day.Entered++
			day.Members++
		case Left:
			b.Left++
			day.Left++
			day.Members--
		case Vanished:
			day.Members--
		}
	}
}

// First returns the number of the first day with a change, if there is one.
func (b *Bucket) First() (day int64, found bool) { return first(b.days) }

// Days returns all days from one to another.
func (b *Bucket) Days(from, to int64) []Day {
	return cumulate(b.days, from, to, func(day *Day, before Day) { day.Members += before.Members })
}

// Shares counts the users in only one or in both of two buckets.
type Shares struct {
	Here, There, Both int64
}

// Pair adds up the differences of two buckets. The zero value is a pair of buckets without members.
type Pair struct {
	days map[int64]*Shares // by number of the day; holds the difference to the day before
}

// Add adds the changes of a user in both buckets, and returns in which of them the user is at the
// end.
func (p *Pair) Add(here, there []Change, deleted, until table.Instant) (inHere, inThere bool) {
	if p.days == nil {
		p.days = map[int64]*Shares{}
	}
	here, there = vanish(here, deleted, until), vanish(there, deleted, until)
	for len(here)+len(there) > 0 {
		day := DayOf(min(head(here), head(there)))
		before := share(inHere, inThere)
		for ; len(here) > 0 && DayOf(here[0].At) == day; here = here[1:] {
			inHere = here[0].Kind == Entered
		}
		for ; len(there) > 0 && DayOf(there[0].At) == day; there = there[1:] {
			inThere = there[0].Kind == Entered
		}
		if after := share(inHere, inThere); after != before {
			d := entry(p.days, day)
			d.Here += after.Here - before.Here
			d.There += after.There - before.There
			d.Both += after.Both - before.Both
		}
	}
	return inHere, inThere
}

// First returns the number of the first day with a change, if there is one.
func (p *Pair) First() (day int64, found bool) { return first(p.days) }

// Days returns the shares at the end of all days from one to another.
func (p *Pair) Days(from, to int64) []Shares {
	return cumulate(p.days, from, to, func(day *Shares, before Shares) {
		day.Here += before.Here
		day.There += before.There
		day.Both += before.Both
	})
}

func share(here, there bool) Shares {
	switch {
	case here && there:
		return Shares{Both: 1}
	case here:
		return Shares{Here: 1}
	case there:
		return Shares{There: 1}
	}
	return Shares{}
}

func head(changes []Change) table.Instant {
	if len(changes) == 0 {
		return table.Never
	}
	return changes[0].At
}

const dayLength = 24 * 60 * 60 * 1_000_000 // in microseconds

// DayOf returns the number of the day of an instant, since 1970.
func DayOf(at table.Instant) int64 {
	day := int64(at) / dayLength
	if int64(at)%dayLength < 0 {
		day--
	}
	return day
}

// StartOf returns the beginning of the day with a number.
func StartOf(day int64) table.Instant { return table.Instant(day * dayLength) }

func entry[T any](days map[int64]*T, day int64) *T {
	d := days[day]
	if d == nil {
		d = new(T)
		days[day] = d
	}
	return d
}

func first[T any](days map[int64]*T) (int64, bool) {
	if len(days) == 0 {
		return 0, false
	}
	return slices.Min(slices.Collect(maps.Keys(days))), true
}

// cumulate returns all days from one to another; carry adds the state at the end of the day before.
func cumulate[T any](days map[int64]*T, from, to int64, carry func(day *T, before T)) []T {
	out := make([]T, 0, max(to-from+1, 0))
	var before T
	for day := from; day <= to; day++ {
		var d T
		if known := days[day]; known != nil {
			d = *known
		}
		carry(&d, before)
		out = append(out, d)
		before = d
	}
	return out
}
