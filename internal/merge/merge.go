// Package merge makes two users one.
package merge

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Merger merges users. It is safe for concurrent use; its fields do not change while it is used.
type Merger struct {
	Runner *transact.Runner

	// Options are those of a decision at the present time, Replayed those of one at the time of a
	// replay.
	Options, Replayed decide.Options

	// Limits bound what the merged user may have.
	Limits decide.Limits

	// IDs bound how many ids the merged user may have.
	IDs resolve.Limits

	// StaysOnly returns a runner over buckets of which only the stays matter.
	StaysOnly func([]db.BucketgenBucket) *transact.Runner

	// Wake is called after a merge was committed, also if no transition is announced.
	Wake func()
}

// errGone says that a cached user is not in the database any more: the row was deleted by hand. The
// next attempt creates the user.
var errGone = errors.New("a user is gone")

// Merge merges a user into another in a transaction of its own, and returns what happened. It
// retries for as long as attempts allow.
func (m *Merger) Merge(ctx context.Context, attempts *retry.Attempts, from, into string) (made []bucketgen.Transition, err error) {
	err = m.again(ctx, attempts, &from, &into, func() (err error) {
		two := m.merging(byCaller, from, into)
		err = two.commit(ctx)
		made = two.made
		return err
	})
	return made, err
}

// again calls do for two users until it succeeds, for as long as attempts allow.
func (m *Merger) again(ctx context.Context, attempts *retry.Attempts, from, into *string, do func() error) error {
	attempts.ExpectedFunc = func(err error) bool { return errors.Is(err, errGone) }
	for {
		err := canonical(from, into, func() error { return m.ending(m.commitEnd(ctx), do) })
		if err == nil {
			return nil
		}
		if err := attempts.Again(ctx, err); err != nil {
			return err
		}
	}
}

// MergeTx merges a user into another in a transaction that the caller began and commits.
func (m *Merger) MergeTx(ctx context.Context, tx pgx.Tx, from, into string) (made []bucketgen.Transition, err error) {
	err = canonical(&from, &into, func() error {
		return m.ending(func(t *transact.Task) error { return m.Runner.InTx(ctx, tx, []*transact.Task{t}) }, func() error {
			made, err = m.inTx(ctx, tx, from, into)
			return err
		})
	})
	return made, err
}

// canonical calls do for two users, again by their new names if they turn out to be merged, and not
// at all if they are one.
func canonical(from, into *string, do func() error) error {
	return transact.Canonical(func() error {
		if *from == *into {
			return nil
		}
		return do()
	}, func(n transact.Names) { *from, *into = n.Of(*from), n.Of(*into) })
}

// inTx merges two different users in a transaction that was begun before.
func (m *Merger) inTx(ctx context.Context, tx pgx.Tx, from, into string) ([]bucketgen.Transition, error) {
	two := m.merging(byCaller, from, into)
	two.conn = tx
	two.begin = func(ctx context.Context, both []*transact.Task) (*store.Loaded, error) {
		return m.Runner.Load(ctx, tx, false, both)
	}
	if err := two.run(ctx); err != nil {
		return nil, err
	}
	if err := two.written.Send(ctx, tx, m.Runner.Store, false); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return two.made, nil
}

// merging returns two different users who become one, or a user who gets another name.
func (m *Merger) merging(kind, from, into string) *merging {
	return &merging{Merger: m, kind: kind, from: from, into: into, now: table.Unset}
}

// commit does it in one transaction, under the locks of both.
func (m *merging) commit(ctx context.Context) error {
	r := m.Runner
	conn, err := r.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	token := m.beginOn(conn)
	if err := m.run(ctx); err != nil {
		return r.Links.Rollback(ctx, conn, err)
	}
	if err := r.Conclude(ctx, conn, m.xid, token, m.written); err != nil {
		return err
	}
	r.Store.SetMerged(m.from, store.Merged{Name: m.into, Contact: m.facts.Contact(m.into)})
	if m.detached {
		r.Store.Detached()
	}
	m.facts.Remember(m.written)
	for _, w := range []*store.Write{m.settled, m.parted, m.written} {
		if w != nil {
			r.Committed(w)
		}
	}
	m.Wake()
	return nil
}

// beginOn lets it begin a transaction of its own on a connection, which leaves a mark.
func (m *merging) beginOn(conn *pgxpool.Conn) store.CommitToken {
	token := m.Runner.NewToken(conn)
	m.conn = conn
	m.begin = func(ctx context.Context, both []*transact.Task) (*store.Loaded, error) {
		return m.Runner.Begin(ctx, conn, token, true, both)
	}
	return token
}

func (m *Merger) transitions(user string, made []decide.Transition) []bucketgen.Transition {
	return transact.Transitions(m.Runner.Registry, user, made)
}

// The kinds of merges, as the database has them.
const (
	byCaller  = "merge"
	automatic = "automatic" // by the ids of an event
	promotion = "promotion" // one user who gets another name
)

// merging is two users who become one, or one user who gets another name.
type merging struct {
	*Merger

	conn       store.Conn
	kind       string
	reclaims   string // the name of a shared id that becomes the survivor's; empty: none does
	replayed   bool
	from, into string

	// begin takes the locks of both, in a transaction that it may begin by that.
	begin func(ctx context.Context, both []*transact.Task) (*store.Loaded, error)

	xid      string
	now      table.Instant // the time of both
	settled  *store.Write  // what was due of both before that
	parted   *store.Write  // how their stays have changed since
	detached bool          // an anonymous id of the survivor, who had too many
	facts    *store.Loaded // of the survivor, with all that was the other's
	written  *store.Write  // what comes of it
	made     []bucketgen.Transition
}

// run does everything but commit.
func (m *merging) run(ctx context.Context) error {
	both, err := m.lock(ctx)
	if err != nil {
		return err
	}
	return m.become(ctx, both)
}

// become decides and writes everything that is left once both are locked, but for what comes of it.
func (m *merging) become(ctx context.Context, locked *store.Loaded) (err error) {
	step, moves := (*decide.Session).Merge, m.kind != promotion
	if moves {
		err = m.move(ctx, locked.Contact(m.from), locked.Contact(m.into))
		if err == nil && m.reclaims != "" {
			err = m.reclaim(ctx, locked.Contact(m.from), locked.Contact(m.into))
		}
		if locked.Created(m.from) && !locked.Created(m.into) {
			step = (*decide.Session).CatchUp // there is nothing but a name
		}
	} else {
		err = m.rename(ctx, locked.Contact(m.from))
	}
	if err != nil {
		return err
	}
	t := []*transact.Task{m.task(m.into, step)}
	if m.facts, err = m.Runner.Load(ctx, m.conn, moves, t); err != nil {
		return err
	}
	m.written, err = m.Runner.Decide(ctx, m.conn, m.facts, t)
	m.made = append(m.made, m.transitions(m.into, t[0].Result.Transitions)...)
	return err
}

// lock takes the locks of both, gives both the same time, and writes what was due of either before
// that.
func (m *merging) lock(ctx context.Context) (*store.Loaded, error) {
	both := []*transact.Task{m.task(m.from, (*decide.Session).CatchUp)}
	if m.kind != promotion {
		both = append(both, m.task(m.into, (*decide.Session).CatchUp))
	}
	loaded, err := m.begin(ctx, both)
	if err != nil {
		return nil, err
	}
	m.xid = loaded.XID
	if err := m.present(loaded, both); err != nil {
		return nil, err
	}
	// Either user may be ahead of the clock of this process, and so of the other: these runs find
	// out. The last one is at the time of both.
	for at := m.now - 1; at != m.now; {
		at = m.now
		if err := m.Runner.Run(ctx, m.conn, loaded, both, func(*transact.Task, *decide.State, *decide.Session) {}); err != nil {
			return nil, err
		}
	}
	for _, t := range both {
		if t.Result.Ended {
			return nil, &expiredError{t.Want.User, m.now}
		}
	}
	// Only now, because a visitor who has expired ends even if the merge is refused.
	if err := m.allowed(ctx, loaded, both); err != nil {
		return nil, err
	}
	if m.settled, err = m.Runner.Write(ctx, m.conn, loaded, both); err != nil {
		return nil, err
	}
	for _, t := range both {
		m.made = append(m.made, m.transitions(t.Want.User, t.Result.Transitions)...)
	}
	return loaded, nil
}

// move makes all of the one the other's, once it is decided what becomes of the stays of both: in
// whatever buckets the one was ever in, also where they are paused, or not defined any more.
func (m *merging) move(ctx context.Context, from, into int64) error {
	buckets, err := m.Runner.Store.Queries(m.conn).BucketsOf(ctx, from)
	if err != nil {
		return fmt.Errorf("read which buckets the user was in: %w", err)
	}
	stays := m.StaysOnly(buckets)
	handed, err := m.part(ctx, stays)
	if err != nil {
		return err
	}
	m.detached, err = stays.Store.Merge(ctx, m.conn, store.Merger{
		Kind: m.kind, From: from, Into: into, FromName: m.from, IntoName: m.into, Handed: handed,
		MostAnonymous: m.IDs.Most(resolve.Anonymous), Now: m.now,
	})
	return err
}

// part decides over the stays of both, and writes what changes. It returns those that are to move.
func (m *merging) part(ctx context.Context, stays *transact.Runner) ([]decide.Handover, error) {
	last := map[string][]decide.Stay{} // what is decided over each depends on the other's
	read := func(user string) *transact.Task {
		return &transact.Task{Want: store.Request{User: user}, Step: func(s *decide.Session, _ table.Instant) decide.Result {
			last[user] = s.Last()
			return decide.Result{}
		}}
	}
	from, into := read(m.from), read(m.into)
	both := []*transact.Task{from, into}
	loaded, err := stays.Load(ctx, m.conn, false, both)
	if err != nil {
		return nil, err
	}
	if err := stays.Run(ctx, m.conn, loaded, both, func(*transact.Task, *decide.State, *decide.Session) {}); err != nil {
		return nil, err
	}
	var handed []decide.Handover
	from.Step = func(s *decide.Session, _ table.Instant) decide.Result { return s.Yield(last[m.into], m.now) }
	into.Step = func(s *decide.Session, _ table.Instant) decide.Result {
		handed = s.Inherit(last[m.from])
		return decide.Result{}
	}
	m.parted, err = stays.Write(ctx, m.conn, loaded, both)
	return handed, err
}

// task returns a task for one of the users, at the time of both.
func (m *merging) task(user string, step func(*decide.Session, table.Instant) decide.Result) *transact.Task {
	options := m.Options
	if m.replayed {
		options = m.Replayed
	}
	t := m.Runner.Existing(user, 0, options, func(s *decide.Session, clock table.Instant) decide.Result {
		if m.now != table.Unset {
			clock = m.now
		}
		result := step(s, clock)
		m.now = max(m.now, s.Now())
		return result
	})
	t.Want.Create, t.Named = m.kind == byCaller, true
	return t
}
