package engine

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/merge"
)

// MergePreview is what a merge of two users would come to.
type MergePreview = bucketgen.MergePreview

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
// What is kept of both is made anew from the log. Where old parts of the log were dropped, what
// only totals knew of them is gone afterwards, for both.
//
// A process runs few merges at once ([Config].MaxMerges). A merge that waits for its turn holds no
// connection, and one that waits for the lock of a user gives its connection back after half a
// second and tries again. If too many wait it gives [ErrBusy].
//
// A program that keeps memberships by user id elsewhere has to learn of the merge by other means. A
// merge takes time in proportion to what from did, and to what into did that criteria ask about.
//
// If from is unknown, there is only the name; if into is, they are created. To merge a user into
// themselves, by whichever of their names, does nothing. If one of them is deleted it gives
// [ErrDeleted], if the engine's definitions are not those that are deployed [ErrNotDeployed], and
// for an id that cannot be one an [*InvalidError].
func (e *Engine) Merge(ctx context.Context, from, into string) ([]Transition, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	from, into = event.CleanName(from), event.CleanName(into)
	if err := checkMerge(from, into); err != nil {
		return nil, err
	}
	release, err := e.merges.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("merge user %q into %q: %w", from, into, err)
	}
	defer release()
	made, err := e.merger().Merge(ctx, e.attempts("merge"), from, into)
	if err != nil {
		return nil, fmt.Errorf("merge user %q into %q: %w", from, into, err)
	}
	return made, nil
}

// PreviewMerge returns what [Engine.Merge] would come to, and changes nothing: it merges in a
// transaction that is rolled back. So it takes as long as the merge, waits for its turn as one, and
// gives the same errors.
func (g *Users) PreviewMerge(ctx context.Context, from, into string) (MergePreview, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return MergePreview{}, err
	}
	from, into = event.CleanName(from), event.CleanName(into)
	if err := checkMerge(from, into); err != nil {
		return MergePreview{}, err
	}
	release, err := e.merges.Acquire(ctx)
	if err != nil {
		return MergePreview{}, fmt.Errorf("preview the merge of user %q into %q: %w", from, into, err)
	}
	defer release()
	p, err := e.merger().Preview(ctx, e.attempts("merge"), from, into)
	if err != nil {
		return MergePreview{}, fmt.Errorf("preview the merge of user %q into %q: %w", from, into, err)
	}
	return p, nil
}

// MergeTx is [Engine.Merge] as part of a transaction of the caller, such as the one of a sign-up:
// the users become one if and only if the caller commits. What it returns is provisional until
// then. It takes the locks of both users, waits for them, and does not wait for [Config].MaxMerges.
// The rules of [Engine.IngestTx] about isolation, locks and order hold. An error leaves the
// transaction as it was.
func (e *Engine) MergeTx(ctx context.Context, tx pgx.Tx, from, into string) ([]Transition, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	from, into = event.CleanName(from), event.CleanName(into)
	if err := checkMerge(from, into); err != nil {
		return nil, err
	}
	var made []Transition
	err := e.runner.InSavepoint(ctx, tx, func(tx pgx.Tx) (err error) {
		made, err = e.merger().MergeTx(ctx, tx, from, into)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("merge user %q into %q: %w", from, into, err)
	}
	return made, nil
}

// merger returns what merges users. The engine must be open.
func (e *Engine) merger() *merge.Merger {
	return &merge.Merger{
		Runner: e.runner, Options: e.options(true), Replayed: e.options(false), Limits: e.config.limits().User, IDs: e.config.ids(), StaysOnly: e.staysOnly, Wake: e.feed.Wake,
	}
}

// mergesAtOnce is how many merges run at once, so that three of four connections of the pool are
// left to everything else.
func mergesAtOnce(most int, connections int32) int {
	const part = 4
	return max(min(most, int(connections)/part), 1)
}
