package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry"
)

// task is what a writer wants to do about one user. Every writer goes through tasks: ingest, clock, manual changes.
type task struct {
	want store.Wanted

	options decide.Options

	// step does it. It may be called several times, each time on a fresh session, when facts turn out to be lacking; the
	// last call counts.
	step func(s *decide.Session, clock registry.Instant)

	// named says that somebody named the user who may not know that they have another name by now, because they were merged.
	// Such a task is not done, but gives a [*renamedError]. Of others, who was merged is deleted, and nothing is done.
	named bool

	missed bool // the user was passed over: nothing was done
}

// commit runs tasks for different users in one transaction of its own. Users who are unknown are passed over, and those
// whose lock somebody else holds too, unless it is to wait for them. If it returns an error, nothing was done.
func (e *Engine) commit(ctx context.Context, wait bool, tasks []*task) error {
	waiting, cancel := e.answering(ctx)
	defer cancel()
	conn, err := e.pool.Acquire(waiting)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	mark := e.mark(conn)
	facts, err := e.store.Load(waiting, conn, store.Lock{
		Begin: true, Wait: wait, Timeout: lockTimeout, Mark: mark, As: e.as, Replan: store.Replan(conn.Conn().PgConn()),
	}, wanted(tasks))
	if err != nil {
		return e.rollback(ctx, conn, err)
	}
	if err := e.renamed(waiting, conn, facts, tasks); err != nil {
		return e.rollback(ctx, conn, err)
	}
	write, err := e.decide(waiting, conn, facts, tasks)
	if err != nil {
		return e.rollback(ctx, conn, err)
	}
	if err := e.conclude(ctx, conn, facts.XID, mark, write); err != nil {
		return err
	}
	facts.Remember(write)
	e.tell(write)
	return nil
}

// mark returns the mark for the next transaction of a connection.
func (e *Engine) mark(conn *pgxpool.Conn) store.Mark {
	return store.NewMark(conn.Conn().PgConn(), e.now())
}

// conclude writes and commits a transaction that leaves a mark. If it returns an error, nothing was done. It may release the
// connection.
func (e *Engine) conclude(ctx context.Context, conn *pgxpool.Conn, xid string, mark store.Mark, write *store.Write) error {
	waiting, cancel := e.answering(ctx)
	defer cancel()
	err := write.Send(waiting, conn, e.store, true)
	switch {
	case err == nil:
		e.answered(nil)
		return nil
	case conn.Conn().IsClosed():
		conn.Release() // to ask takes a connection, and the pool may have no other
		return e.fateOf(ctx, xid, mark, err)
	default:
		return e.rollback(ctx, conn, fmt.Errorf("write: %w", err))
	}
}

// tell lets the clock and the outbox of this process know what was committed.
func (e *Engine) tell(w *store.Write) {
	if e.phase.Load() == fresh {
		return // it has no clock and no outbox yet
	}
	if at, written := w.Due(); written {
		e.clock.notice(at)
	}
	if e.armer != nil {
		e.armer.notice(w)
	}
	if n := w.Transitions(); n > 0 {
		e.stats.transitions.Add(int64(n))
		e.outbox.poke()
	}
	if w.Shows() {
		e.shown()
	}
}

// shown lets whoever remembers what users are in look again, here and elsewhere.
func (e *Engine) shown() {
	if e.phase.Load() != fresh {
		e.feed.poke()
		e.notifier.Wake()
	}
}

// lockTimeout is how long a transaction of the engine waits for another at most: one that has a user whom it cannot pass
// over, or is just creating one. A caller's own transaction may do that, and stay open.
const lockTimeout = 500 * time.Millisecond

// within runs tasks for different users, sorted, in a transaction that the caller began and commits. It waits for
// locks.
func (e *Engine) within(ctx context.Context, conn store.Conn, tasks []*task) error {
	facts, err := e.store.Load(ctx, conn, store.Lock{Wait: true, Provisional: true}, wanted(tasks))
	if err != nil {
		return err
	}
	if err := e.renamed(ctx, conn, facts, tasks); err != nil {
		return err
	}
	write, err := e.decide(ctx, conn, facts, tasks)
	if err != nil {
		return err
	}
	if err := write.Send(ctx, conn, e.store, false); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// consult runs tasks on what is known of their users, all of it as it was committed at one moment, and writes nothing: it
// is for those who ask what would be. done is called once for each user who is known, with what its task came to; state and
// session are those of another user afterwards.
func (e *Engine) consult(ctx context.Context, tasks []*task, done func(*task, *decide.State, *decide.Session)) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	facts, err := e.store.Load(ctx, conn, store.Lock{Begin: true, None: true, As: e.as, Replan: store.Replan(conn.Conn().PgConn())}, wanted(tasks))
	if err == nil {
		err = e.renamed(ctx, conn, facts, tasks)
	}
	if err == nil {
		err = e.run(ctx, conn, facts, tasks, done)
	}
	return e.rollback(ctx, conn, err)
}

// decide runs the steps of the tasks on what is known of their users, and returns what there is to write.
func (e *Engine) decide(ctx context.Context, conn store.Conn, facts *store.Facts, tasks []*task) (*store.Write, error) {
	events := 0
	for _, t := range tasks {
		events += len(t.want.Events)
	}
	write := store.NewWrite(len(tasks), events)
	err := e.run(ctx, conn, facts, tasks, func(t *task, state *decide.State, session *decide.Session) {
		changes := session.Changes()
		e.stats.candidates.Add(int64(changes.Candidates))
		e.stats.evaluations.Add(int64(changes.Evaluations))
		write.Add(facts, t.want.User, state, changes)
		e.logTransitions(ctx, t.want.User, changes.Transitions)
	})
	if err != nil {
		return nil, err
	}
	return write, nil
}

// logTransitions logs what was decided, for those who look for what happened to a user. Whether it was committed the log does
// not say.
func (e *Engine) logTransitions(ctx context.Context, user string, made []decide.Transition) {
	if len(made) == 0 || !e.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	for _, t := range e.transitions(user, made) {
		e.log.DebugContext(ctx, "transition decided", "bucket", t.BucketID, "user", user, "transition", string(t.Kind), "source", string(t.Source), "key", t.Key(), "at", t.At)
	}
}

// run runs the steps of the tasks on what is known of their users, and calls done with each that lacked nothing. Facts
// that a step turns out to need are read by one more round trip.
func (e *Engine) run(ctx context.Context, conn store.Conn, facts *store.Facts, tasks []*task, done func(*task, *decide.State, *decide.Session)) error {
	const rounds = 8 // what one round loads may lead to further questions, but not for ever
	clock := e.now()
	session, state := &decide.Session{}, &decide.State{} // of one user after the other
	for range rounds {
		lacks := map[string]decide.Lacks{}
		var again []*task
		for _, t := range tasks {
			if !facts.Locked(t.want.User) {
				t.missed = true
				continue
			}
			t.missed = false
			facts.State(t.want.User, state)
			session.Begin(e.registry, state, facts.Options(t.want.User, t.options))
			t.step(session, facts.Clock(t.want.User, clock))
			if l, lacking := session.Lacks(); lacking {
				lacks[t.want.User] = l
				again = append(again, t)
				continue
			}
			done(t, state, session)
		}
		if len(again) == 0 {
			return nil
		}
		if err := facts.LoadMore(ctx, conn, lacks); err != nil {
			return err
		}
		tasks = again
	}
	return errors.New("a decision still lacks facts after all that were asked for were read; this is a bug in bucketgen")
}

func wanted(tasks []*task) []store.Wanted {
	slices.SortFunc(tasks, func(a, b *task) int { return strings.Compare(a.want.User, b.want.User) })
	all := make([]store.Wanted, len(tasks))
	for i, t := range tasks {
		all[i] = t.want
	}
	return all
}
