package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
)

// Merge makes the user from, by an id that somebody had before they signed up, the user into, and returns what happened. From
// then on the one id is another name of the other user, for every call of the engine. There is no way back.
//
// What from did comes to into as events that are late: it counts by when it occurred. So do the idempotency keys that were used.
// Of properties those of into stay, and those of from fill the gaps. Then every bucket is looked at, as after an event that each
// of them asks about; what changes has the source event.
//
// Whoever was in a bucket under either name, and is in it afterwards, has neither entered nor left it, and nothing is announced:
// where both are in it, the stay of into goes on, and that of from ends by the reason merged, unannounced. Where only from is,
// that stay becomes the next of into, with its MembershipID and from when it began, and leaves only if the criteria fails.
// Of stays that have ended, the last of both is the last of into, by which entry policies go. Earlier ones of from stay in the
// log by the old name, as do deliveries that wait, but for those about a stay that is now into's.
//
// What is kept of both is made anew from the log. Where old parts of the log were dropped, what only totals knew of them is gone
// afterwards, for both.
//
// A process runs few merges at once ([Config].MaxMerges). A merge that waits for its turn holds no connection, and one that waits
// for the lock of a user gives its connection back after half a second and tries again. If too many wait it gives [ErrBusy].
//
// Whoever keeps by id elsewhere who is in a bucket has to be told that the two are one. It takes time in proportion to what from did,
// and to what into did that criteria ask about.
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
	for from != into {
		made, err := e.merge(ctx, from, into)
		if err == nil {
			return made, nil
		}
		if renames, renamed := asRenamed(err); renamed {
			from, into = renames.of(from), renames.of(into)
			continue
		}
		if err := r.Again(ctx, err); err != nil {
			return nil, fmt.Errorf("merge user %q into %q: %w", from, into, err)
		}
	}
	return nil, nil
}

// errGone says that a user who was remembered is not there any more: somebody removed them by hand. At the next try they are
// created.
var errGone = errors.New("a user is gone")

// merge merges two different users in one transaction, under the locks of both.
func (e *Engine) merge(ctx context.Context, from, into string) ([]Transition, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	m := merging{engine: e, conn: conn, from: from, into: into, mark: e.mark(conn), now: registry.Unset}
	if err := m.run(ctx); err != nil {
		return nil, e.rollback(ctx, conn, err)
	}
	if err := e.conclude(ctx, conn, m.xid, m.mark, m.written); err != nil {
		return nil, err
	}
	e.store.Rename(from, into)
	m.facts.Remember(m.written)
	for _, w := range []*store.Write{m.settled, m.parted, m.written} {
		e.tell(w)
	}
	e.shown() // also if nothing was announced
	return m.made, nil
}

// merging is two users who become one.
type merging struct {
	engine     *Engine
	conn       *pgxpool.Conn
	from, into string

	mark    store.Mark
	xid     string
	now     registry.Instant // the time of both
	settled *store.Write     // what was due of both before that
	parted  *store.Write     // how their stays have changed since
	facts   *store.Facts     // of the survivor, with all that was the other's
	written *store.Write     // what comes of it
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
	t := m.task(m.into, step)
	m.facts, err = e.store.Load(ctx, m.conn, store.Lock{Wait: true, Provisional: true, Remake: true}, []store.Wanted{t.want})
	if err == nil {
		m.written, err = e.decide(ctx, m.conn, m.facts, []*task{t.task})
	}
	m.made = append(m.made, e.transitions(m.into, t.result.Transitions)...)
	return err
}

// settle takes the locks of both, lets it be the same time for them, and writes what was due of either before that.
func (m *merging) settle(ctx context.Context) (*store.Facts, error) {
	e := m.engine
	tasks := []*mergeTask{m.task(m.from, (*decide.Session).CatchUp), m.task(m.into, (*decide.Session).CatchUp)}
	both := []*task{tasks[0].task, tasks[1].task}
	facts, err := e.store.Load(ctx, m.conn, store.Lock{
		Begin: true, Wait: true, Timeout: lockTimeout, Mark: m.mark, As: e.as, Replan: store.Replan(m.conn.Conn().PgConn()),
	}, wanted(both))
	if err != nil {
		return nil, err
	}
	m.xid = facts.XID
	if err := e.renamed(ctx, m.conn, facts, both); err != nil {
		return nil, err
	}
	switch {
	case !facts.Locked(m.from) || !facts.Locked(m.into):
		return nil, errGone
	case !facts.Deployment().Agreed: // whoever does not know what is kept of users cannot make it anew
		return nil, ErrNotDeployed
	case facts.Deleted(m.from) || facts.Deleted(m.into):
		return nil, ErrDeleted
	}
	if problem, exceeds := e.config.limits().User.Exceeds(facts.Properties(m.into), facts.Properties(m.from)); exceeds {
		return nil, &InvalidError{Field: "from", Problem: problem}
	}
	// Either may be ahead of the clock of this process, and so of the other, which a first look tells.
	if err := e.run(ctx, m.conn, facts, both, func(*task, *decide.State, *decide.Session) {}); err != nil {
		return nil, err
	}
	if m.settled, err = e.decide(ctx, m.conn, facts, both); err != nil {
		return nil, err
	}
	for _, t := range tasks {
		m.made = append(m.made, e.transitions(t.want.User, t.result.Transitions)...)
	}
	if err := m.settled.Send(ctx, m.conn, e.store, false); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return facts, nil
}

// move makes all of the one the other's, once it is decided what becomes of the stays of both: in whatever buckets the one was
// ever in, also where they are paused, or not defined any more.
func (m *merging) move(ctx context.Context, from, into int64) error {
	buckets, err := m.engine.store.Queries(m.conn).BucketsOf(ctx, from)
	if err != nil {
		return fmt.Errorf("read which buckets the user was in: %w", err)
	}
	bare := m.engine.bare(buckets)
	handed, err := m.part(ctx, bare)
	if err != nil {
		return err
	}
	return bare.store.Merge(ctx, m.conn, from, into, handed, m.now)
}

// part decides over the stays of both, and writes what changes. It returns those that are to move.
func (m *merging) part(ctx context.Context, bare *Engine) ([]decide.Handover, error) {
	from, into := &task{want: store.Wanted{User: m.from}}, &task{want: store.Wanted{User: m.into}}
	both := []*task{from, into}
	facts, err := bare.store.Load(ctx, m.conn, store.Lock{Wait: true, Provisional: true, As: bare.as}, wanted(both))
	if err != nil {
		return nil, err
	}
	last := map[string][]decide.Stay{} // what is decided over each depends on the other's, which a first look tells
	for _, t := range both {
		t.step = func(s *decide.Session, _ registry.Instant) { last[t.want.User] = s.Last() }
	}
	if err := bare.run(ctx, m.conn, facts, both, func(*task, *decide.State, *decide.Session) {}); err != nil {
		return nil, err
	}
	var handed []decide.Handover
	from.step = func(s *decide.Session, _ registry.Instant) { s.Yield(last[m.into], m.now) }
	into.step = func(s *decide.Session, _ registry.Instant) { handed = s.Inherit(last[m.from]) }
	if m.parted, err = bare.decide(ctx, m.conn, facts, both); err != nil {
		return nil, err
	}
	if err := m.parted.Send(ctx, m.conn, bare.store, false); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return handed, nil
}

// mergeTask is a task for one of the users, with what came of it.
type mergeTask struct {
	*task

	result decide.Result
}

func (m *merging) task(user string, step func(*decide.Session, registry.Instant) decide.Result) *mergeTask {
	t := &mergeTask{task: &task{
		want: store.Wanted{User: user, Create: true, CreatedAt: m.engine.now()}, options: m.engine.options(true), named: true,
	}}
	t.step = func(s *decide.Session, clock registry.Instant) {
		if m.now != registry.Unset {
			clock = m.now
		}
		t.result = step(s, clock)
		m.now = max(m.now, s.Now())
	}
	return t
}
