package backtest

import (
	"slices"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/registry/table"
)

// User is the log of a user.
type User struct {
	ID        string
	Entries   []Entry             // in the order in which they happened
	DeletedAt table.Instant       // Never unless the user is deleted
	Recorded  map[string][]Change // by bucket id: the changes that were logged live
}

// Entry is an entry of the log: an event, or a change of a manual bucket.
type Entry struct {
	At     table.Instant
	Event  decide.Event
	Manual string // the id of the bucket, or empty for an event
	Add    bool
}

// Insert adds an entry after all entries that are not later.
func (u *User) Insert(e Entry) {
	i := len(u.Entries)
	for i > 0 && u.Entries[i-1].At > e.At {
		i--
	}
	u.Entries = slices.Insert(u.Entries, i, e)
}

// Run returns the transitions that the user would have had up to and including an instant, in the
// order of time.
func Run(r *table.Registry, u *User, until table.Instant) []decide.Transition {
	if len(u.Entries) == 0 {
		return nil // no decision was ever made about the user
	}
	world := simulate.New(r, u.Entries[0].At, decide.Limits{}) // the log has no refused events
	for i := range u.Entries {
		e := &u.Entries[i]
		if e.At > u.DeletedAt {
			break // entries of a deleted user change no membership
		}
		world.AdvanceTo(e.At)
		switch b, known := r.Bucket(e.Manual); {
		case e.Manual == "":
			ev := e.Event
			ev.Event = r.Event(ev.Name)
			world.Ingest(u.ID, ev)
		case !known || r.Buckets[b].Kind != table.Manual:
		case e.Add:
			_ = world.Add(b, u.ID) // a paused bucket refuses it
		default:
			_ = world.Remove(b, u.ID)
		}
	}
	if u.DeletedAt <= until {
		world.AdvanceTo(u.DeletedAt)
		world.Delete(u.ID)
	}
	world.AdvanceTo(until)
	made := world.Transitions()
	out := make([]decide.Transition, len(made))
	for i := range made {
		out[i] = made[i].Transition
	}
	return out
}
