package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/backtest"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	backTestUsers  = 500    // are read at once
	backTestEvents = 50_000 // at most, but all of the first user's
)

// chunk is what is logged of some users who follow each other.
type chunk struct {
	users  []backtest.User
	last   int64 // contact id
	events int64
	err    error
}

// run reads the log chunk by chunk. While one is worked out the next is read.
func (b *backTest) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	total, err := b.engine.store.Queries(b.engine.pool).ContactsLast(ctx)
	if err != nil {
		return fmt.Errorf("read who is the last user: %w", err)
	}
	chunks := make(chan *chunk)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer cancel()
	reader.Go(func() {
		defer close(chunks)
		for after := int64(0); ; {
			c, err := b.read(ctx, after)
			if err != nil {
				c = &chunk{err: err}
			}
			select {
			case chunks <- c:
			case <-ctx.Done():
				return
			}
			if err != nil || len(c.users) == 0 {
				return
			}
			after = c.last
		}
	})
	for c := range chunks {
		if c.err != nil {
			return c.err
		}
		if err := b.workOut(ctx, c); err != nil {
			return err
		}
		b.users, b.events = b.users+int64(len(c.users)), b.events+c.events
		if b.options.Progress != nil && len(c.users) > 0 {
			b.options.Progress(BackTestProgress{b.users, b.events, min(float64(c.last)/float64(max(total, 1)), 1)})
		}
	}
	return ctx.Err()
}

// read reads a chunk by a transaction of its own, so that all of it is of one moment, and none is open for long.
func (b *backTest) read(ctx context.Context, after int64) (c *chunk, err error) {
	o := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, b.engine.pool, o, func(tx pgx.Tx) error {
		c, err = b.readWithin(ctx, b.engine.store.Queries(tx), after)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return c, nil
}

func (b *backTest) readWithin(ctx context.Context, q *db.Queries, after int64) (*chunk, error) {
	contacts, err := q.ContactsLogged(ctx, db.ContactsLoggedParams{AfterID: after, Size: backTestUsers})
	if err != nil || len(contacts) == 0 {
		return &chunk{}, err
	}
	last := contacts[len(contacts)-1].ID
	until := store.Timestamp(b.until.Time())
	events, err := q.EventsLogged(ctx, db.EventsLoggedParams{AfterID: after, LastID: last, Until: until, Most: backTestEvents})
	if err != nil {
		return nil, err
	}
	if n := len(events); n == backTestEvents { // there may be more of the last of them
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
	transitions, err := q.TransitionsLogged(ctx, db.TransitionsLoggedParams{AfterID: after, LastID: last, BucketIds: b.logged, Until: until})
	if err != nil {
		return nil, err
	}
	return b.chunk(contacts, events, transitions, last)
}

// chunk puts together what is logged of each user up to the last.
func (b *backTest) chunk(contacts []db.ContactsLoggedRow, events []db.EventsLoggedRow, transitions []db.TransitionsLoggedRow, last int64) (*chunk, error) {
	c := &chunk{last: last}
	for _, contact := range contacts {
		if contact.ID > last {
			break
		}
		u := backtest.User{ID: contact.UserID, DeletedAt: table.Never}
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
			b.addRecorded(&u, &transitions[0])
		}
		c.users = append(c.users, u)
	}
	return c, nil
}

func logged(row *db.EventsLoggedRow) (backtest.Entry, error) {
	entry := backtest.Entry{At: table.At(row.ReceivedAt.Time), Event: decide.Event{
		Kind: decide.EventKind(row.Kind), Name: deref(row.Name), OccurredAt: table.At(row.OccurredAt.Time),
	}}
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

// addRecorded adds what happened live: as something to compare with, or because it is the change of a manual bucket.
func (b *backTest) addRecorded(u *backtest.User, row *db.TransitionsLoggedRow) {
	at := table.At(row.At.Time)
	change := backtest.Change{At: at, Kind: backtest.Left}
	if Kind(row.Kind) == Entered {
		change.Kind = backtest.Entered
	}
	if u.Recorded == nil {
		u.Recorded = map[string][]backtest.Change{}
	}
	u.Recorded[row.BucketID] = append(u.Recorded[row.BucketID], change)
	added := change.Kind == backtest.Entered && Source(row.Source) == SourceManual
	removed := Reason(deref(row.Reason)) == ReasonManual
	if added || removed {
		u.Insert(backtest.Entry{At: at, Manual: row.BucketID, Add: added})
	}
}

// workOut runs the definitions over the users of a chunk, several at once, and adds up what comes of it, one by one.
func (b *backTest) workOut(ctx context.Context, c *chunk) error {
	ran, others := make([][]decide.Transition, len(c.users)), make([][]decide.Transition, len(c.users))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range b.options.Workers {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(c.users)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				ran[i] = backtest.Run(b.registry, &c.users[i], b.until)
				others[i] = ran[i]
				if b.other != nil && b.other != b.registry {
					others[i] = backtest.Run(b.other, &c.users[i], b.until)
				}
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range c.users {
		b.add(&c.users[i], ran[i], others[i])
	}
	return nil
}

// add adds what would have happened to a user.
func (b *backTest) add(u *backtest.User, ran, other []decide.Transition) {
	for _, t := range b.tested {
		here := backtest.Changes(ran, t.index)
		t.total.Add(here, u.DeletedAt, b.until)
		if t.against == nil {
			continue
		}
		there := u.Recorded[t.against.id]
		if !b.options.Against.Recorded {
			there = backtest.Changes(other, t.against.index)
		}
		t.against.add(u, here, there, b.until)
	}
	if b.options.Transition == nil {
		return
	}
	for _, made := range transact.Transitions(b.registry, u.ID, ran) {
		if b.lists(made.BucketID) {
			b.options.Transition(made)
		}
	}
}

func (a *against) add(u *backtest.User, here, there []backtest.Change, until table.Instant) {
	a.total.Add(there, u.DeletedAt, until)
	switch inHere, inThere := a.pair.Add(here, there, u.DeletedAt, until); {
	case inHere && inThere:
		a.ends.Both++
	case inHere:
		a.ends.Here++
		a.runUsers = few(a.runUsers, u.ID)
	case inThere:
		a.ends.There++
		a.otherUsers = few(a.otherUsers, u.ID)
	}
}
