package simulate

import (
	"fmt"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// user is one user of a world: the facts for the present registry, and the log from which another
// registry derives its own.
type user struct {
	state *decide.State
	log   []decide.Logged        // all events and changes, in the order of arrival
	gone  map[string]decide.Stay // the latest stays in buckets that are no longer defined, by id
}

func newUser(r *table.Registry, name string) *user {
	return &user{
		state: &decide.State{
			Contact: decide.Contact{New: true, Visitor: resolve.IsVisitor(name), UpdatedAt: table.Unset, DecidedAt: table.Unset, WrittenAt: table.Unset},
			Facts:   r.NewFacts(name).Complete(),
			Changes: map[string]decide.PropertyChange{}, Complete: true,
		},
		gone: map[string]decide.Stay{},
	}
}

// remember keeps the changes of a session beside the state.
func (u *user) remember(c decide.Changes) {
	u.log = append(u.log, c.Events...)
}

// move converts the state to another registry: facts are recounted, and buckets found by their ids.
// Stays in missing buckets are frozen until the bucket comes back.
func (u *user) move(from, to *table.Registry, name string) {
	was := u.state
	now := &decide.State{Contact: was.Contact, Facts: u.recount(to, name), Seen: was.Seen, Changes: was.Changes, Complete: true}
	now.LastEvent, now.LastEventKnown = was.LastEvent, was.LastEventKnown
	for _, stay := range was.Stays {
		u.gone[from.Buckets[stay.Bucket].ID] = stay
	}
	for id, stay := range u.gone {
		if b, known := to.Bucket(id); known {
			stay.Bucket = b
			now.Stays = append(now.Stays, stay)
			delete(u.gone, id)
		}
	}
	for _, due := range was.Due {
		if due.Bucket == decide.Whole {
			now.Due = append(now.Due, due)
		} else if b, known := to.Bucket(from.Buckets[due.Bucket].ID); known {
			due.Bucket = b
			now.Due = append(now.Due, due)
		}
	}
	u.state = now
}

// recount derives the facts of the user for a registry.
func (u *user) recount(r *table.Registry, name string) *table.Facts {
	f := r.NewFacts(name).Complete()
	for _, field := range u.state.Contact.Properties.Fields() {
		if p, declared := r.Property(field.Key); declared {
			f.SetProperty(p, field.Whole())
		}
	}
	for key, change := range u.state.Changes {
		if p, declared := r.Property(key); declared {
			f.SetLastChange(table.LastChange{Property: p, Was: stored(change.Was), At: change.At})
		}
	}
	for i := range u.log {
		e := &u.log[i].Event
		if e.Kind.Named() {
			e.Event = r.Event(e.Name)
		}
		occurrences := r.Occurrences(nil, e.Event, e.OccurredAt, logged(e.Properties).Value)
		for _, o := range occurrences {
			f.Add(o)
		}
		for _, a := range r.Advances(nil, occurrences) {
			f.Advance(a)
		}
	}
	return f
}

// logged parses a payload again: fields that no bucket asked about at the time are only in its
// text.
func logged(o payload.Object) payload.Object {
	if o.Raw == nil {
		return o
	}
	all, err := payload.Stored(o.Raw)
	if err != nil {
		panic(fmt.Sprintf("a payload cannot be read that was written here: %v", err))
	}
	return all
}

// stored reads a value that a session handed over to be stored.
func stored(raw []byte) table.Value {
	value, err := payload.StoredValue(raw)
	if err != nil {
		panic(fmt.Sprintf("a value cannot be read that was written here: %v", err))
	}
	return value
}
