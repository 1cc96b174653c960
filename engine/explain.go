package engine

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/explain"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry"
)

// Explanation says why a user is in a bucket or not, and what the clock does next. Its String is
// for people.
type Explanation bucketgen.Explanation

// String returns the explanation as people read it: over several lines, with the criteria drawn as
// a tree.
func (x Explanation) String() string { return explain.Text((*bucketgen.Explanation)(&x)) }

// PolicyEffect is the effect of a bucket's policy on one user. What does not apply is zero.
type PolicyEffect = bucketgen.PolicyEffect

// Condition is one condition of a criteria, or a combination of several, with its result.
type Condition = bucketgen.Condition

// Evidence holds the facts behind the result of a condition.
type Evidence = bucketgen.Evidence

// Explain says why a user is in a bucket or not. It sees what is committed, and what is due by now
// as if it were done; it locks and changes nothing. A user who is unknown gives [ErrUnknownUser],
// one who is deleted [ErrDeleted].
func (e *Engine) Explain(ctx context.Context, bucket registry.BucketRef, userID string) (Explanation, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return Explanation{}, fmt.Errorf("explain: %w", err)
	}
	if err := event.UserID(userID); err != nil {
		return Explanation{}, fmt.Errorf("explain: %w", err)
	}
	explainer := explain.Explainer{Runner: e.runner, Options: e.options(true), DriftFunc: e.driftOf}
	name := e.name(userID)
	var x bucketgen.Explanation
	err = transact.Canonical(func() error {
		x, err = explainer.Explain(ctx, b, name)
		return err
	}, func(n transact.Names) { name = n.Of(name) })
	if err != nil {
		return Explanation{}, fmt.Errorf("explain bucket %q for user %q: %w", bucket.ID(), userID, err)
	}
	return Explanation(x), nil
}
