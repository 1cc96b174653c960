// Package transact runs transactions: it takes the locks of users, loads what is known of them,
// lets package decide decide, and writes what was decided. Every writer and every reader of
// decisions goes through a [Runner].
package transact

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Runner runs tasks in transactions. It is safe for concurrent use; its fields do not change while
// it is used. A copy with another Store, Registry and View decides over other buckets on the same
// pool.
type Runner struct {
	Pool     *pgxpool.Pool
	Store    *store.Store
	Registry *table.Registry

	// View is what is deployed, for the runner. Nil: the deployment in the database.
	View *store.Deployment

	// Now is the clock by which users are decided on.
	Now func() table.Instant

	Log *slog.Logger

	// Links says how long to wait for the database, and what becomes of a transaction whose
	// connection is lost.
	Links Links

	// Decided is called for each session, before its changes are committed, with how many buckets
	// the indexes found and how many criteria were evaluated. Nil: they are not counted.
	Decided func(candidates, evaluations int)

	// Committed is called with each write after its transaction was committed. Nil: nothing waits
	// for it.
	Committed func(*store.Write)
}

// Links is the policy for connections to the database.
type Links interface {
	// Answering returns a context for statements that the database has to answer in time.
	Answering(ctx context.Context) (context.Context, context.CancelFunc)

	// Answered notes the outcome of such statements.
	Answered(err error)

	// Rollback ends a transaction that failed with an error, and returns that error. Nil ends one
	// that only read.
	Rollback(ctx context.Context, conn *pgxpool.Conn, err error) error

	// CommitStatus returns nil if a transaction was committed whose connection was lost at COMMIT,
	// else the error that lost it.
	CommitStatus(ctx context.Context, xid string, token store.CommitToken, lost error) error
}

// LockTimeout is how long a transaction of the engine waits for another at most: one that has a
// user whom it cannot pass over, or is just creating one. A caller's own transaction may do that,
// and stay open.
const LockTimeout = 500 * time.Millisecond

// Commit runs tasks for different users in one transaction of its own. Users who are unknown are
// passed over, and those who are locked too, unless it is to wait for them. If it returns an error,
// nothing was done.
func (r *Runner) Commit(ctx context.Context, wait bool, tasks []*Task) error {
	waiting, cancel := r.Links.Answering(ctx)
	defer cancel()
	conn, err := r.Pool.Acquire(waiting)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	token := r.NewToken(conn)
	loaded, err := r.Begin(waiting, conn, token, wait, tasks)
	if err != nil {
		return r.Links.Rollback(ctx, conn, err)
	}
	write, err := r.Decide(waiting, conn, loaded, tasks)
	if err != nil {
		return r.Links.Rollback(ctx, conn, err)
	}
	if err := r.Conclude(ctx, conn, loaded.XID, token, write); err != nil {
		return err
	}
	loaded.Remember(write)
	lose(write, tasks)
	r.committed(write)
	return nil
}

// Do calls do in a transaction of its own, for what is no task. It waits for a lock no longer than
// LockTimeout. If it returns an error, nothing was done.
func (r *Runner) Do(ctx context.Context, do func(*db.Queries) error) error {
	conn, err := r.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	token := r.NewToken(conn)
	begun, err := r.Begin(ctx, conn, token, true, nil)
	if err == nil {
		err = do(r.Store.Queries(conn))
	}
	if err != nil {
		return r.Links.Rollback(ctx, conn, err)
	}
	return r.Conclude(ctx, conn, begun.XID, token, store.NewWrite(0, 0))
}

// NewToken returns the commit token of the next transaction of a connection.
func (r *Runner) NewToken(conn *pgxpool.Conn) store.CommitToken {
	return store.NewCommitToken(conn.Conn().PgConn(), r.Now())
}

// Begin begins a transaction that leaves a mark, takes the locks of the users of tasks, and loads
// what is known of them.
func (r *Runner) Begin(ctx context.Context, conn *pgxpool.Conn, token store.CommitToken, wait bool, tasks []*Task) (*store.Loaded, error) {
	mode := store.BeginAndLock(store.Begin{
		Wait: wait, Timeout: LockTimeout, Token: token, View: r.View, Replan: store.Replan(conn.Conn().PgConn()),
	})
	return r.load(ctx, conn, mode, tasks)
}

// Conclude writes and commits a transaction that leaves a mark. If it returns an error, nothing was
// done. It may release the connection.
func (r *Runner) Conclude(ctx context.Context, conn *pgxpool.Conn, xid string, token store.CommitToken, write *store.Write) error {
	waiting, cancel := r.Links.Answering(ctx)
	defer cancel()
	err := write.Send(waiting, conn, r.Store, true)
	switch {
	case err == nil:
		r.Links.Answered(nil)
		return nil
	case conn.Conn().IsClosed():
		conn.Release() // to ask takes a connection, and the pool may have no other
		return r.Links.CommitStatus(ctx, xid, token, err)
	default:
		return r.Links.Rollback(ctx, conn, fmt.Errorf("write: %w", err))
	}
}

func (r *Runner) committed(w *store.Write) {
	if r.Committed != nil {
		r.Committed(w)
	}
}

// InTx runs tasks for different users in a transaction that the caller began and commits. It waits
// for locks.
func (r *Runner) InTx(ctx context.Context, conn store.Conn, tasks []*Task) error {
	for len(tasks) > 0 {
		loaded, err := r.Load(ctx, conn, false, tasks)
		if err != nil {
			return err
		}
		write, err := r.Write(ctx, conn, loaded, tasks)
		if err != nil {
			return err
		}
		lose(write, tasks)
		// A user who was erased while the transaction waited for the lock is created.
		tasks = slices.DeleteFunc(slices.Clone(tasks), func(t *Task) bool { return !t.Missed || !t.Want.Create })
	}
	return nil
}

// Load takes the locks of the users of tasks in a transaction that was begun before, and loads what
// is known of them. Rebuild derives all that is kept of them anew from the log.
func (r *Runner) Load(ctx context.Context, conn store.Conn, rebuild bool, tasks []*Task) (*store.Loaded, error) {
	mode := store.InTx(r.View)
	if rebuild {
		mode = mode.Rebuild()
	}
	return r.load(ctx, conn, mode, tasks)
}

// Write decides, and writes what was decided, in a transaction that goes on.
func (r *Runner) Write(ctx context.Context, conn store.Conn, loaded *store.Loaded, tasks []*Task) (*store.Write, error) {
	write, err := r.Decide(ctx, conn, loaded, tasks)
	if err != nil {
		return nil, err
	}
	if err := write.Send(ctx, conn, r.Store, false); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return write, nil
}

// Consult runs tasks on what is known of their users, all of it as it was committed at one moment,
// and writes nothing. visit is called once for each user who is known, with what their task came
// to; state and session are those of another user afterwards.
func (r *Runner) Consult(ctx context.Context, tasks []*Task, visit func(*Task, *decide.State, *decide.Session)) error {
	conn, err := r.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	loaded, err := r.load(ctx, conn, store.ReadOnly(r.View, store.Replan(conn.Conn().PgConn())), tasks)
	if err == nil {
		err = r.Run(ctx, conn, loaded, tasks, visit)
	}
	return r.Links.Rollback(ctx, conn, err)
}

// Settled is what [Runner.CommitDue] came to.
type Settled struct {
	Users   int           // Users is how many there were
	Settles bool          // Settles says that some due instant was settled
	Last    table.Instant // Last is the latest due instant of theirs, if more may be due; else Unset
}

// CommitDue begins a transaction, takes the locks of the users who have been due longest, from an
// instant on, or Unset, and are not locked, and commits what the tasks of task come to.
func (r *Runner) CommitDue(ctx context.Context, from, now table.Instant, most int, task func(store.Request) *Task) (Settled, error) {
	ctx, cancel := r.Links.Answering(ctx)
	defer cancel()
	conn, err := r.Pool.Acquire(ctx)
	if err != nil {
		return Settled{}, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	due, err := r.Store.LockDue(ctx, conn, store.Replan(conn.Conn().PgConn()), from, now, most)
	if err != nil || len(due.Requests) == 0 {
		return Settled{}, r.Links.Rollback(ctx, conn, err)
	}
	tasks := make([]*Task, len(due.Requests))
	for i, user := range due.Requests {
		tasks[i] = task(user)
	}
	settles, err := r.commitLocked(ctx, conn, tasks)
	if err != nil {
		return Settled{}, r.Links.Rollback(ctx, conn, err)
	}
	r.Links.Answered(nil)
	return Settled{Users: len(due.Requests), Settles: settles, Last: due.Last}, nil
}

func (r *Runner) commitLocked(ctx context.Context, conn store.Conn, tasks []*Task) (bool, error) {
	loaded, err := r.load(ctx, conn, store.AlreadyLocked(), tasks)
	if err != nil {
		return false, err
	}
	write, err := r.Decide(ctx, conn, loaded, tasks)
	if err != nil {
		return false, err
	}
	if err := write.Send(ctx, conn, r.Store, true); err != nil {
		return false, fmt.Errorf("write: %w", err)
	}
	loaded.Remember(write)
	r.committed(write)
	return write.Settles(), nil
}

// CommitAll commits tasks, however long some of their users are locked, and calls done with each.
// Users who are gone are passed over.
func (r *Runner) CommitAll(ctx context.Context, attempts *retry.Attempts, tasks []*Task, done func(*Task)) error {
	for len(tasks) > 0 {
		if err := r.Commit(ctx, false, tasks); err != nil {
			if err := attempts.Again(ctx, err); err != nil {
				return err
			}
			continue
		}
		var missed []*Task
		for _, t := range tasks {
			if t.Missed {
				missed = append(missed, t)
			} else {
				done(t)
			}
		}
		if tasks = missed; len(tasks) == 0 {
			return nil
		}
		if err := attempts.Sleep(ctx); err != nil {
			return err
		}
		var err error
		if tasks, err = r.existing(ctx, tasks); err != nil {
			return err
		}
	}
	return nil
}

// existing returns the tasks for users who are not gone.
func (r *Runner) existing(ctx context.Context, tasks []*Task) ([]*Task, error) {
	users := make([]string, len(tasks))
	for i, t := range tasks {
		users[i] = t.Want.User
	}
	there, err := r.Store.Queries(r.Pool).ContactsPresent(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	return slices.DeleteFunc(tasks, func(t *Task) bool { return !slices.Contains(there, t.Want.User) }), nil
}

// load loads the users of tasks, and checks that none of those who were named was merged, or is
// another by now.
func (r *Runner) load(ctx context.Context, conn store.Conn, mode store.LoadMode, tasks []*Task) (*store.Loaded, error) {
	requests := make([]store.Request, len(tasks))
	for i, t := range tasks {
		requests[i] = t.Want
	}
	slices.SortFunc(requests, func(a, b store.Request) int { return strings.Compare(a.User, b.User) })
	loaded, err := r.Store.Load(ctx, conn, mode, requests)
	if err != nil {
		return nil, err
	}
	return loaded, r.checkMerged(ctx, conn, mode, loaded, tasks)
}

// Decide runs the steps of the tasks on what is known of their users, and returns what there is to
// write.
func (r *Runner) Decide(ctx context.Context, conn store.Conn, loaded *store.Loaded, tasks []*Task) (*store.Write, error) {
	events := 0
	for _, t := range tasks {
		events += len(t.Want.Events)
	}
	write := store.NewWrite(len(tasks), events)
	err := r.Run(ctx, conn, loaded, tasks, func(t *Task, state *decide.State, session *decide.Session) {
		changes := session.Changes()
		if r.Decided != nil {
			r.Decided(changes.Candidates, changes.Evaluations)
		}
		write.Add(loaded, t.Want.User, state, changes)
		if !t.Result.Ended {
			write.Attach(t.Want.User, t.Want.Attach, changes.Now)
			write.See(t.Want.User, t.Want.Seen, changes.Now)
		}
		r.logTransitions(ctx, t.Want.User, changes.Transitions)
	})
	if err != nil {
		return nil, err
	}
	return write, nil
}

// logTransitions logs what was decided about a user. The log does not say whether it was committed.
func (r *Runner) logTransitions(ctx context.Context, user string, made []decide.Transition) {
	if len(made) == 0 || !r.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	for _, t := range Transitions(r.Registry, user, made) {
		r.Log.DebugContext(ctx, "transition decided", "component", "transact", "bucket", t.BucketID, "user", user,
			"transition", string(t.Kind), "source", string(t.Source), "key", t.Key(), "at", t.At)
	}
}

// Transitions returns what was decided about a user as callers see it.
func Transitions(r *table.Registry, user string, made []decide.Transition) []bucketgen.Transition {
	if len(made) == 0 {
		return nil
	}
	userID, anonymousID, ids := resolve.Split(user)
	out := make([]bucketgen.Transition, len(made))
	for i, t := range made {
		row := &r.Buckets[t.Bucket]
		out[i] = bucketgen.Transition{
			BucketID: row.ID, BucketName: row.Name, UserID: userID, AnonymousID: anonymousID, IDs: ids, Kind: t.Kind, Source: t.Source, EntryCount: t.EntryCount,
			Reason: t.Reason, Tick: t.Tick, DwellCount: t.DwellCount, At: t.At.Time(), DecidedAt: t.DecidedAt.Time(),
			Suppressed: t.Suppressed, Life: t.Life, NameKind: resolve.NonUserKind(user),
		}
	}
	return out
}

// Run runs the steps of the tasks on what is known of their users, in the order of their names, and
// calls done with each that lacked nothing. Facts that a step turns out to need are read by one
// more round trip.
func (r *Runner) Run(ctx context.Context, conn store.Conn, loaded *store.Loaded, tasks []*Task, done func(*Task, *decide.State, *decide.Session)) error {
	const rounds = 8 // what one round loads may lead to further questions, but not for ever
	clock := r.Now()
	session, state := &decide.Session{}, &decide.State{} // of one user after the other
	tasks = slices.SortedFunc(slices.Values(tasks), func(a, b *Task) int { return strings.Compare(a.Want.User, b.Want.User) })
	for range rounds {
		lacks := map[string]decide.Lacks{}
		var again []*Task
		for _, t := range tasks {
			t.Suppressed = loaded.Suppressed(t.Want.User)
			if t.Missed = !t.Suppressed && !loaded.Locked(t.Want.User); t.Missed || t.Suppressed {
				continue
			}
			t.Contact = loaded.Contact(t.Want.User)
			loaded.State(t.Want.User, state)
			session.Begin(r.Registry, state, loaded.Options(t.Want.User, t.Options))
			t.Result = t.Step(session, loaded.Clock(t.Want.User, clock))
			if l, lacking := session.Lacks(); lacking {
				lacks[t.Want.User] = l
				again = append(again, t)
				continue
			}
			done(t, state, session)
			t.Missed = t.Result.Ended
		}
		if len(again) == 0 {
			return nil
		}
		if err := loaded.LoadMore(ctx, conn, lacks); err != nil {
			return err
		}
		tasks = again
	}
	return errors.New("a decision still lacks facts after all that were asked for were read; this is a bug in bucketgen")
}
