package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Merge merges the user from, say by the id of a visitor who signs up, into the user into, and
// returns what happened. From then on the one id is another name of the other user, for every call
// of the engine. There is no way back.
//
// What from did comes to into as events that are late: it counts by when it occurred. So do the
// idempotency keys that were used. Of properties those of into stay, and those of from fill the
// gaps. Then every bucket is evaluated, as after an event that each of them asks about; what
// changes has the source event.
//
// A user who was in a bucket under either name, and is in it afterwards, has neither entered nor
// left it, and nothing is announced: where both are in it, the stay of into goes on, and that of
// from ends by the reason merged, unannounced. Where only from is, that stay becomes the next of
// into, with its MembershipID and from when it began, and leaves only if the criteria fails. Of
// stays that have ended, the last of both is the last of into, by which entry policies go. Earlier
// ones of from stay in the log by the old name, as do deliveries that wait, but for those about a
// stay that is now into's.
//
// What is kept of both is made anew from the log. Where old parts of the log were dropped, what only totals knew of them is gone
// afterwards, for both.
//
// A process runs few merges at once ([Config].MaxMerges). A merge that waits for its turn holds no connection, and one that waits
// for the lock of a user gives its connection back after half a second and tries again. If too many wait it gives [ErrBusy].
//
// A program that keeps memberships by user id elsewhere has to learn of the merge by other means. A
// merge takes time in proportion to what from did, and to what into did that criteria ask about.
//
// If from is unknown, there is only the name; if into is, they are created. To merge a user into themselves, by whichever of their
// names, does nothing. If one of them is deleted it gives [ErrDeleted], if the engine's definitions are not those that are
// deployed [ErrNotDeployed], and for an id that
// cannot be one an [*InvalidError].
func (e *Engine) Merge(ctx context.Context, from, into string) ([]Transition, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	if err := checkMerge(from, into); err != nil {
		return nil, err
	}
	end, err := e.merges.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("merge user %q into %q: %w", from, into, err)
	}
	defer end()
	from, into = e.name(from), e.name(into)
	r := e.attempts("merge")
	for {
		var made []Transition
		err := transact.Canonical(func() (err error) {
			if from != into {
				made, err = e.merge(ctx, from, into)
			}
			return err
		}, func(n transact.Names) { from, into = n.Of(from), n.Of(into) })
		if err == nil {
			return made, nil
		}
		if err := r.Again(ctx, err); err != nil {
			return nil, fmt.Errorf("merge user %q into %q: %w", from, into, err)
		}
	}
}

// MergeTx is [Engine.Merge] as part of a transaction of the caller, such as the one of a sign-up: the
// users become one if and only if the caller commits. What it returns is provisional until then. It
// takes the locks of both users, waits for them, and does not wait for [Config].MaxMerges. The rules
// of [Engine.IngestTx] about isolation, locks and order hold. An error leaves the transaction as it
// was.
func (e *Engine) MergeTx(ctx context.Context, tx pgx.Tx, from, into string) ([]Transition, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	if err := checkMerge(from, into); err != nil {
		return nil, err
	}
	from, into = e.name(from), e.name(into)
	var made []Transition
	err := e.inSavepoint(ctx, tx, func(tx pgx.Tx) error {
		return transact.Canonical(func() (err error) {
			if from != into {
				made, err = e.mergeIn(ctx, tx, from, into)
			}
			return err
		}, func(n transact.Names) { from, into = n.Of(from), n.Of(into) })
	})
	if err != nil {
		return nil, fmt.Errorf("merge user %q into %q: %w", from, into, err)
	}
	return made, nil
}

// mergeIn merges two different users in a transaction that was begun before.
func (e *Engine) mergeIn(ctx context.Context, tx pgx.Tx, from, into string) ([]Transition, error) {
	m := merging{engine: e, conn: tx, from: from, into: into, now: table.Unset}
	m.begin = func(ctx context.Context, both []*transact.Task) (*store.Loaded, error) {
		return e.runner.Load(ctx, tx, false, both)
	}
	if err := m.run(ctx); err != nil {
		return nil, err
	}
	if err := m.written.Send(ctx, tx, e.store, false); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return m.made, nil
}

// errGone says that a cached user is not in the database any more: the row was deleted by hand. The
// next try creates the user.
var errGone = errors.New("a user is gone")

// merge merges two different users in one transaction, under the locks of both.
func (e *Engine) merge(ctx context.Context, from, into string) ([]Transition, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	token := e.runner.NewToken(conn)
	m := merging{engine: e, conn: conn, from: from, into: into, now: table.Unset}
	m.begin = func(ctx context.Context, both []*transact.Task) (*store.Loaded, error) {
		return e.runner.Begin(ctx, conn, token, true, both)
	}
	if err := m.run(ctx); err != nil {
		return nil, e.rollback(ctx, conn, err)
	}
	if err := e.runner.Conclude(ctx, conn, m.xid, token, m.written); err != nil {
		return nil, err
	}
	e.store.SetMerged(from, into)
	m.facts.Remember(m.written)
	for _, w := range []*store.Write{m.settled, m.parted, m.written} {
		e.committed(w)
	}
	e.feed.Wake() // also if nothing was announced
	return m.made, nil
}

// merging is two users who become one.
type merging struct {
	engine     *Engine
	conn       store.Conn
	from, into string

	// begin takes the locks of both, in a transaction that it may begin by that.
	begin func(ctx context.Context, both []*transact.Task) (*store.Loaded, error)

	xid     string
	now     table.Instant // the time of both
	settled *store.Write  // what was due of both before that
	parted  *store.Write  // how their stays have changed since
	facts   *store.Loaded // of the survivor, with all that was the other's
	written *store.Write  // what comes of it
	made    []Transition
}

// run does everything but commit.
func (m *merging) run(ctx context.Context) error {
	e := m.engine
	both, err := m.settle(ctx)
	if err != nil {
		return err
	}
	if err := m.move(ctx, both.Contact(m.from), both.Contact(m.into)); err != nil {
		return err
	}
	step := (*decide.Session).Merge
	if both.Created(m.from) && !both.Created(m.into) {
		step = (*decide.Session).CatchUp // there is nothing but a name
	}
	t := []*transact.Task{m.task(m.into, step)}
	if m.facts, err = e.runner.Load(ctx, m.conn, true, t); err != nil {
		return err
	}
	m.written, err = e.runner.Decide(ctx, m.conn, m.facts, t)
	m.made = append(m.made, e.transitions(m.into, t[0].Result.Transitions)...)
	return err
}

// settle takes the locks of both, lets it be the same time for them, and writes what was due of either before that.
func (m *merging) settle(ctx context.Context) (*store.Loaded, error) {
	e := m.engine
	both := []*transact.Task{m.task(m.from, (*decide.Session).CatchUp), m.task(m.into, (*decide.Session).CatchUp)}
	loaded, err := m.begin(ctx, both)
	if err != nil {
		return nil, err
	}
	m.xid = loaded.XID
	switch {
	case !loaded.Locked(m.from) || !loaded.Locked(m.into):
		return nil, errGone
	case !loaded.Deployment().Agreed: // a process with other definitions does not know which data of users to derive anew
		return nil, ErrNotDeployed
	case loaded.Deleted(m.from) || loaded.Deleted(m.into):
		return nil, ErrDeleted
	}
	if problem, exceeds := e.config.limits().User.Exceeds(loaded.Properties(m.into), loaded.Properties(m.from)); exceeds {
		return nil, &InvalidError{Field: "from", Problem: problem}
	}
	// Either user may be ahead of the clock of this process, and so of the other: this first run
	// finds out.
	if err := e.runner.Run(ctx, m.conn, loaded, both, func(*transact.Task, *decide.State, *decide.Session) {}); err != nil {
		return nil, err
	}
	if m.settled, err = e.runner.Write(ctx, m.conn, loaded, both); err != nil {
		return nil, err
	}
	for _, t := range both {
		m.made = append(m.made, e.transitions(t.Want.User, t.Result.Transitions)...)
	}
	return loaded, nil
}

// move makes all of the one the other's, once it is decided what becomes of the stays of both: in whatever buckets the one was
// ever in, also where they are paused, or not defined any more.
func (m *merging) move(ctx context.Context, from, into int64) error {
	buckets, err := m.engine.store.Queries(m.conn).BucketsOf(ctx, from)
	if err != nil {
		return fmt.Errorf("read which buckets the user was in: %w", err)
	}
	stays := m.engine.staysOnly(buckets)
	handed, err := m.part(ctx, stays)
	if err != nil {
		return err
	}
	return stays.Store.Merge(ctx, m.conn, from, into, handed, m.now)
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
	t := m.engine.present(user, 0, func(s *decide.Session, clock table.Instant) decide.Result {
		if m.now != table.Unset {
			clock = m.now
		}
		result := step(s, clock)
		m.now = max(m.now, s.Now())
		return result
	})
	t.Want.Create, t.Named = true, true
	return t
}
