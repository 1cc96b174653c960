package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
	"github.com/bucketgen/bucketgen/registry"
)

// TestExplainReference explains every user and bucket of random histories. The truth of each
// condition must be that of the reference, and what is said to happen next must happen when time
// goes on, and nothing before it.
func TestExplainReference(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	draw.Check(t, 200, func(t *rapid.T) { explainAll(t, pool) })
}

func explainAll(t *rapid.T, pool *pgxpool.Pool) {
	number := int(cases.Add(1))
	users := []string{fmt.Sprintf("c%d-ada", number), fmt.Sprintf("c%d-bob", number)}
	f := draw.Definitions(t, 4)
	steps := draw.Steps(t, f, users, 20)
	until := steps[len(steps)-1].At.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "after")) * draw.Hour)
	known := refeval.Known(f, steps, until)
	story := fmt.Sprintf("%s%suntil %s", refeval.Describe(f), refeval.DescribeSteps(steps), until)
	_, err := subject.Engine(t.Context(), pool, f, steps, until, subject.Manner{
		Number: number,
		Then: func(e *engine.Engine, named *ir.File, set func(time.Time)) error {
			var all []engine.Explanation
			for _, user := range users {
				for i := range f.Definitions {
					x, err := e.Explain(t.Context(), registry.NewRef(named.Definitions[i].ID, 0), user)
					if facts, exists := known[user]; facts == nil {
						if wrong := refused(err, exists); wrong != nil {
							return wrong
						}
						continue
					}
					if err != nil {
						return err
					}
					if problem := judge(&x, &f.Definitions[i], known[user], until); problem != "" {
						return fmt.Errorf("%s\n%s", problem, x)
					}
					all = append(all, x)
				}
			}
			if len(all) == 0 {
				return nil
			}
			return comesTrue(t.Context(), e, all, rapid.IntRange(0, len(all)-1).Draw(t, "explanation"), set)
		},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, story)
	}
}

// refused checks that there is no explanation of who is deleted, or does not exist.
func refused(err error, exists bool) error {
	want := engine.ErrUnknownUser
	if exists {
		want = engine.ErrDeleted
	}
	if !errors.Is(err, want) {
		return fmt.Errorf("got error %w, want %w", err, want)
	}
	return nil
}

// judge compares an explanation with what the reference knows.
func judge(x *engine.Explanation, d *ir.Definition, known *refeval.Facts, now time.Time) string {
	id := d.ID
	switch {
	case x.Member != known.Members[id]:
		return fmt.Sprintf("the explanation says that they are in it: %t, the reference: %t", x.Member, known.Members[id])
	case !x.At.Equal(now):
		return fmt.Sprintf("it is %s, want %s", x.At, now)
	case (d.Criteria == nil) != (x.Criteria == nil):
		return "the criteria is another"
	case d.Criteria == nil:
		return ""
	}
	return judgeCondition(x.Criteria, d.Criteria, known, now)
}

func judgeCondition(c *engine.Condition, n *ir.Node, known *refeval.Facts, now time.Time) string {
	if want := refeval.Holds(n, known, now); c.Holds != want {
		return fmt.Sprintf("%s holds: %t, the reference says %t", c.Words, c.Holds, want)
	}
	for n.Op == ir.OpNot { // stands in the line of what it turns around
		n = n.Children[0]
	}
	for i, child := range n.Children {
		if i >= len(c.Parts) {
			return c.Words + " lacks a part"
		}
		if problem := judgeCondition(&c.Parts[i], child, known, now); problem != "" {
			return problem
		}
	}
	return ""
}

// comesTrue lets time go on, for one of the explanations to just before what is said to come next
// and to that instant, and then until everything has come that is said of any.
func comesTrue(ctx context.Context, e *engine.Engine, all []engine.Explanation, chosen int, set func(time.Time)) error {
	end := all[0].At.Add(31 * time.Hour)
	for i := range all {
		for _, t := range all[i].Next {
			if t.At.After(end) {
				end = t.At
			}
		}
	}
	if next := all[chosen].Next; len(next) > 0 {
		first := next[0].At
		for _, at := range []time.Time{first.Add(-time.Microsecond), first} {
			set(at)
			if _, err := e.Clock().RunDue(ctx); err != nil {
				return err
			}
			if err := cameTrue(ctx, e, &all[chosen], at); err != nil {
				return err
			}
		}
	}
	set(end)
	if _, err := e.Clock().RunDue(ctx); err != nil {
		return err
	}
	for i := range all {
		if err := cameTrue(ctx, e, &all[i], end); err != nil {
			return err
		}
	}
	return nil
}

// cameTrue compares what has happened up to an instant with what was said.
func cameTrue(ctx context.Context, e *engine.Engine, x *engine.Explanation, now time.Time) error {
	got, want := []string{}, []string{}
	var then []engine.Transition // after the first instant, without ticks
	for t, err := range e.History(ctx, x.UserID) {
		if err != nil {
			return err
		}
		switch {
		case t.BucketID != x.BucketID || !t.At.After(x.At):
		case len(x.Next) == 0 && (x.NothingUntil.IsZero() || t.At.Before(x.NothingUntil)):
			return fmt.Errorf("%s, but this happened: %v\n%s", "nothing was said to happen", t, x)
		case len(x.Next) == 0:
		case !t.At.After(x.Next[0].At):
			got = append(got, happening(&t))
		case t.Kind != engine.Dwell:
			then = append(then, t)
		}
	}
	for i := range x.Next {
		t := &x.Next[i]
		switch {
		case t.At.After(now):
		case t.At.Equal(x.Next[0].At):
			want = append(want, happening(t))
		case len(then) == 0:
			return fmt.Errorf("this has not happened: %v\n%s", *t, x)
		default:
			got, want = append(got, happening(&then[0])), append(want, happening(t))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("at %s\n%s\n%s", now, diff, x)
	}
	return nil
}

// happening is a transition with all that is foretold of it.
func happening(t *engine.Transition) string {
	return strings.Join(append(brief([]engine.Transition{*t}), t.At.String(), string(t.Source)), " ")
}
