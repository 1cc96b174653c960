package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Add puts a user into a manual bucket and returns what happened: nothing if they are in it
// already. A user who is unknown is created; one who is deleted gives [ErrDeleted], a bucket that
// is paused [ErrPaused].
func (e *Engine) Add(ctx context.Context, bucket registry.ManualRef, userID string) ([]Transition, error) {
	return e.manualChange(ctx, e.committing(), "add to", bucket, userID, true, (*decide.Session).Add)
}

// AddTx is [Engine.Add] as part of a transaction of the caller: it happens if and only if the
// caller commits. What it returns is provisional until then. The rules of [Engine.IngestTx] about
// isolation, locks and order hold. An error leaves the transaction as it was.
func (e *Engine) AddTx(ctx context.Context, tx pgx.Tx, bucket registry.ManualRef, userID string) ([]Transition, error) {
	return e.manualChange(ctx, e.joining(tx), "add to", bucket, userID, true, (*decide.Session).Add)
}

// Remove takes a user out of a manual bucket, whatever its minimal dwell, and returns what
// happened: nothing if they are not in it, or unknown. One who is deleted gives [ErrDeleted], a
// bucket that is paused [ErrPaused].
func (e *Engine) Remove(ctx context.Context, bucket registry.ManualRef, userID string) ([]Transition, error) {
	return e.manualChange(ctx, e.committing(), "remove from", bucket, userID, false, (*decide.Session).Remove)
}

// RemoveTx is [Engine.Remove] as part of a transaction of the caller, as [Engine.AddTx] is Add.
func (e *Engine) RemoveTx(ctx context.Context, tx pgx.Tx, bucket registry.ManualRef, userID string) ([]Transition, error) {
	return e.manualChange(ctx, e.joining(tx), "remove from", bucket, userID, false, (*decide.Session).Remove)
}

func (e *Engine) manualChange(ctx context.Context, w oneWriter, verb string, ref registry.ManualRef, userID string, create bool,
	step func(*decide.Session, table.BucketIndex, table.Instant) decide.Result,
) ([]Transition, error) {
	b, err := e.bucket(ref)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", verb, err)
	}
	if e.registry.Buckets[b].Kind != table.Manual {
		return nil, fmt.Errorf("%s bucket %q: %w", verb, ref.ID(), ErrNotManual)
	}
	if err := e.checkMutable(ctx, w, b); err != nil { // a user who was created for nothing would be no newcomer any more
		return nil, fmt.Errorf("%s bucket %q: %w", verb, ref.ID(), err)
	}
	made, err := e.administer(ctx, w, userID, create, func(s *decide.Session, clock table.Instant) decide.Result {
		return step(s, b, clock)
	})
	if err != nil {
		return nil, fmt.Errorf("%s bucket %q: %w", verb, ref.ID(), err)
	}
	return made, nil
}

// checkMutable returns an error if nothing moves in a bucket.
func (e *Engine) checkMutable(ctx context.Context, w oneWriter, b table.BucketIndex) error {
	if err := e.ready(); err != nil {
		return err
	}
	if w.refresh { // a caller's transaction holds a connection, and the pool may have no other
		if _, err := e.refresh(ctx); err != nil && !Transient(err) {
			return err
		}
	}
	switch d := e.store.Deployment(); {
	case !d.Frozen(b):
		return nil
	case e.paused(b):
		return ErrPaused
	default:
		return ErrNotDeployed
	}
}

// paused reports whether a bucket is, as far as this process has noticed.
func (e *Engine) paused(b table.BucketIndex) bool {
	return slices.Contains(e.store.Deployment().Paused, e.store.Bucket(b))
}

// Delete hides a user: from now on every read finds them in no bucket, and nothing happens to them.
// Their memberships stay as they are, and what they do is stored, so that Restore can bring them
// back. A user who is unknown stays so.
func (e *Engine) Delete(ctx context.Context, userID string) error {
	return e.remove(ctx, e.committing(), userID)
}

// DeleteTx is [Engine.Delete] as part of a transaction of the caller, as [Engine.AddTx] is Add.
func (e *Engine) DeleteTx(ctx context.Context, tx pgx.Tx, userID string) error {
	return e.remove(ctx, e.joining(tx), userID)
}

func (e *Engine) remove(ctx context.Context, w oneWriter, userID string) error {
	if _, err := e.administer(ctx, w, userID, false, (*decide.Session).Delete); err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	return nil
}

// Restore undoes Delete. What the user would have joined or left in the meantime, they join or
// leave now; that is returned.
func (e *Engine) Restore(ctx context.Context, userID string) ([]Transition, error) {
	return e.restore(ctx, e.committing(), userID)
}

// RestoreTx is [Engine.Restore] as part of a transaction of the caller, as [Engine.AddTx] is Add.
func (e *Engine) RestoreTx(ctx context.Context, tx pgx.Tx, userID string) ([]Transition, error) {
	return e.restore(ctx, e.joining(tx), userID)
}

func (e *Engine) restore(ctx context.Context, w oneWriter, userID string) ([]Transition, error) {
	made, err := e.administer(ctx, w, userID, false, (*decide.Session).Restore)
	if err != nil {
		return nil, fmt.Errorf("restore user: %w", err)
	}
	return made, nil
}

// oneWriter writes the task of one user.
type oneWriter struct {
	write   func(ctx context.Context, t *transact.Task) error
	refresh bool // refresh says to read what is deployed first
}

// committing returns a writer that commits a transaction of its own, however long the user is
// locked.
func (e *Engine) committing() oneWriter {
	return oneWriter{refresh: true, write: func(ctx context.Context, t *transact.Task) error {
		r := e.attempts("change")
		r.ExpectedFunc = func(err error) bool { return errors.Is(err, errGone) }
		for {
			err := canonical(t, func() error { return e.runner.Commit(ctx, true, []*transact.Task{t}) })
			if err == nil && t.Missed && t.Want.Create {
				err = errGone
			}
			if err == nil {
				return refusedTask(t)
			}
			if err := r.Again(ctx, err); err != nil {
				return err
			}
		}
	}}
}

// errGone says that a user was erased while the transaction waited for the lock. The next attempt
// creates the user.
var errGone = errors.New("the user is gone")

// joining returns a writer that is part of a transaction of the caller.
func (e *Engine) joining(tx pgx.Tx) oneWriter {
	return oneWriter{write: func(ctx context.Context, t *transact.Task) error {
		return e.runner.InSavepoint(ctx, tx, func(tx pgx.Tx) error {
			if err := canonical(t, func() error { return e.runner.InTx(ctx, tx, []*transact.Task{t}) }); err != nil {
				return err
			}
			return refusedTask(t)
		})
	}}
}

// canonical calls f, again if the user of the task turns out to be merged.
func canonical(t *transact.Task, f func() error) error {
	return transact.Canonical(f, func(n transact.Names) { t.Want.User = n.Of(t.Want.User) })
}

// refusedTask returns why a task changed nothing, if it was refused.
func refusedTask(t *transact.Task) error {
	switch {
	case t.Suppressed:
		return ErrSuppressed
	case t.Result.Deleted:
		return ErrDeleted
	case t.Result.Paused:
		return ErrPaused
	case t.Result.Excluded:
		return ErrExcluded
	default:
		return nil
	}
}

// administer runs one step on one user, and returns what happened. A user who is unknown and not to
// be created is left alone.
func (e *Engine) administer(ctx context.Context, w oneWriter, userID string, create bool,
	step func(*decide.Session, table.Instant) decide.Result,
) ([]Transition, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	userID = event.CleanName(userID)
	if err := event.UserID(userID); err != nil {
		return nil, err
	}
	t := &transact.Task{
		Want: store.Request{User: userID, Create: create, CreatedAt: e.now()}, Options: e.options(true), Step: step, Named: true,
	}
	if err := w.write(ctx, t); err != nil {
		return nil, err
	}
	return e.transitions(t.Want.User, t.Result.Transitions), nil
}

// MemberChanges are what many changes of a manual bucket come to.
type MemberChanges = bucketgen.MemberChanges

// PreviewMembers returns what it would come to if users were added to a manual bucket, or removed
// from it: who would change, who is refused. Nothing is written.
func (g *Users) PreviewMembers(ctx context.Context, bucket registry.ManualRef, remove bool, userIDs []string) (MemberChanges, error) {
	e := (*Engine)(g)
	b, err := e.lookup(bucket)
	if err != nil {
		return MemberChanges{}, fmt.Errorf("preview members: %w", err)
	}
	if e.registry.Buckets[b].Kind != table.Manual {
		return MemberChanges{}, fmt.Errorf("preview members of bucket %q: %w", bucket.ID(), ErrNotManual)
	}
	if err := e.checkMutable(ctx, e.committing(), b); err != nil {
		return MemberChanges{}, fmt.Errorf("preview members of bucket %q: %w", bucket.ID(), err)
	}
	out, names := MemberChanges{Asked: len(userIDs)}, []string{}
	for _, user := range userIDs {
		if err := event.UserID(user); err != nil {
			out.Refuse(user, err)
			continue
		}
		names = append(names, user)
	}
	rows, err := e.store.Queries(e.pool).MembershipsOfNames(ctx, db.MembershipsOfNamesParams{Names: names, BucketNo: e.store.Bucket(b)})
	if err != nil {
		return MemberChanges{}, fmt.Errorf("preview members: %w", err)
	}
	found := map[string]db.MembershipsOfNamesRow{}
	for _, row := range rows {
		found[row.Name] = row
	}
	seen := map[string]bool{} // by the names that users go by
	for _, user := range names {
		row, known := found[user]
		if !known {
			row.UserID = user
		}
		switch {
		case row.Deleted:
			out.Refuse(user, ErrDeleted)
		case seen[row.UserID] || row.Member != remove:
			out.Unchanged++
		default:
			if out.Changed++; !known {
				out.Created++
			}
		}
		seen[row.UserID] = true
	}
	return out, nil
}

// ChangeMembers adds users to a manual bucket, or removes them from it, one by one as [Engine.Add]
// and [Engine.Remove] do. A user who cannot be changed does not stop the others. After an error the
// first of the users are changed; it may be called again with all.
func (g *Users) ChangeMembers(ctx context.Context, bucket registry.ManualRef, remove bool, userIDs []string) (MemberChanges, error) {
	e := (*Engine)(g)
	out, do := MemberChanges{Asked: len(userIDs)}, e.Add
	if remove {
		do = e.Remove
	}
	for _, user := range userIDs {
		made, err := do(ctx, bucket, user)
		_, invalid := errors.AsType[*InvalidError](err)
		switch {
		case invalid || errors.Is(err, ErrDeleted):
			out.Refuse(user, err)
		case err != nil:
			return out, err
		case len(made) == 0:
			out.Unchanged++
		default:
			out.Changed++
		}
	}
	return out, nil
}
