package backtest

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	chunkUsers  = 500    // are read at once
	chunkEvents = 50_000 // at most, but all of the first user's
)

// chunk is what is logged of some users who follow each other.
type chunk struct {
	users  []User
	last   int64 // contact id
	events int64
	err    error
}

// read reads a chunk by a transaction of its own, so that all of it is of one moment, and none is
// open for long.
func (t *Test) read(ctx context.Context, after int64) (c *chunk, err error) {
	o := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, t.pool, o, func(tx pgx.Tx) error {
		c, err = t.readWithin(ctx, t.store.Queries(tx), after)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return c, nil
}

func (t *Test) readWithin(ctx context.Context, q *db.Queries, after int64) (*chunk, error) {
	contacts, err := q.ContactsLogged(ctx, db.ContactsLoggedParams{AfterID: after, Size: chunkUsers})
	if err != nil || len(contacts) == 0 {
		return &chunk{}, err
	}
	last := contacts[len(contacts)-1].ID
	until := store.Timestamp(t.options.Until.Time())
	events, err := q.EventsLogged(ctx, db.EventsLoggedParams{AfterID: after, LastID: last, Until: until, Most: chunkEvents})
	if err != nil {
		return nil, err
	}
	if n := len(events); n == chunkEvents { // there may be more of the last of them
		cut := events[n-1].ContactID
		if events[0].ContactID != cut {
			last = cut - 1
		} else {
			last = cut
			if events, err = q.EventsLogged(ctx, db.EventsLoggedParams{AfterID: cut - 1, LastID: cut, Until: until, Most: 1<<31 - 1}); err != nil {
				return nil, err
			}
		}
	}
	transitions, err := q.TransitionsLogged(ctx, db.TransitionsLoggedParams{AfterID: after, LastID: last, BucketIds: t.logged, Until: until})
	if err != nil {
		return nil, err
	}
	return t.chunk(contacts, events, transitions, last)
}

// chunk puts together what is logged of each user up to the last.
func (t *Test) chunk(contacts []db.ContactsLoggedRow, events []db.EventsLoggedRow, transitions []db.TransitionsLoggedRow, last int64) (*chunk, error) {
	c := &chunk{last: last}
	for _, contact := range contacts {
		if contact.ID > last {
			break
		}
		u := User{ID: contact.UserID, DeletedAt: table.Never}
		if contact.DeletedAt.Valid {
			u.DeletedAt = table.At(contact.DeletedAt.Time)
		}
		for ; len(events) > 0 && events[0].ContactID <= contact.ID; events = events[1:] {
			entry, err := logged(&events[0])
			if err != nil {
				return nil, fmt.Errorf("an event of user %q: %w", contact.UserID, err)
			}
			u.Entries = append(u.Entries, entry)
			c.events++
		}
		for ; len(transitions) > 0 && transitions[0].ContactID <= contact.ID; transitions = transitions[1:] {
			t.addRecorded(&u, &transitions[0])
		}
		c.users = append(c.users, u)
	}
	return c, nil
}

func logged(row *db.EventsLoggedRow) (Entry, error) {
	entry := Entry{At: table.At(row.ReceivedAt.Time), Event: decide.Event{
		Kind: decide.EventKind(row.Kind), OccurredAt: table.At(row.OccurredAt.Time),
	}}
	if row.Name != nil {
		entry.Event.Name = *row.Name
	}
	var err error
	if row.Properties != nil {
		if entry.Event.Properties, err = payload.Stored(row.Properties); err != nil {
			return entry, err
		}
	}
	if row.Traits != nil {
		entry.Event.Traits, err = payload.Stored(row.Traits)
	}
	return entry, err
}

// addRecorded adds what happened live: as something to compare with, or because it is the change of
// a manual bucket.
func (t *Test) addRecorded(u *User, row *db.TransitionsLoggedRow) {
	at := table.At(row.At.Time)
	change := Change{At: at, Kind: Left}
	if bucketgen.Kind(row.Kind) == bucketgen.Entered {
		change.Kind = Entered
	}
	if u.Recorded == nil {
		u.Recorded = map[string][]Change{}
	}
	u.Recorded[row.BucketID] = append(u.Recorded[row.BucketID], change)
	added := change.Kind == Entered && bucketgen.Source(row.Source) == bucketgen.SourceManual
	removed := row.Reason != nil && bucketgen.Reason(*row.Reason) == bucketgen.ReasonManual
	if added || removed {
		u.Insert(Entry{At: at, Manual: row.BucketID, Add: added})
	}
}
