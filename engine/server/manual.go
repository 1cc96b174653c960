package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/registry"
)

// refusedMove is the result for a user who could not be moved.
const refusedMove = "refused"

// moved is what became of a user who was to be added or removed.
type moved struct {
	UserID   string `json:"userId"`
	BucketID string `json:"bucketId"`
	Result   string `json:"result"` // entered, left, unchanged or refused
	Problem  string `json:"problem,omitempty"`
}

// move is adding or removing.
type move struct {
	verb, kind string
	same       string // same is printed for a user for whom nothing changes
	do         func(*engine.Engine, context.Context, registry.ManualRef, string) ([]engine.Transition, error)
}

var (
	adding   = move{"add", "entered", "is already a member", (*engine.Engine).Add}
	removing = move{"remove", "left", "is not a member", (*engine.Engine).Remove}
)

// one moves a user.
func (m *move) one(ctx context.Context, e *engine.Engine, ref registry.ManualRef, user string) (moved, error) {
	done := moved{UserID: user, BucketID: ref.ID(), Result: "unchanged"}
	transitions, err := m.do(e, ctx, ref, user)
	var invalid *engine.InvalidError
	switch {
	case errors.Is(err, engine.ErrDeleted):
		done.Result, done.Problem = refusedMove, "the user is deleted"
	case errors.As(err, &invalid):
		done.Result, done.Problem = refusedMove, "the user's name "+invalid.Problem
	case err != nil:
		return done, err
	}
	for _, t := range transitions {
		if t.BucketID == ref.ID() {
			done.Result = string(t.Kind)
		}
	}
	return done, nil
}

func (c *cli) addCommand() *cobra.Command {
	return c.moveCommand(&adding, "Add users to a manual bucket",
		`Adds users to a manual bucket, one without criteria. Members stay; an unknown user is created. The
join is announced like any other.`)
}

func (c *cli) removeCommand() *cobra.Command {
	return c.moveCommand(&removing, "Remove users from a manual bucket",
		`Removes users from a manual bucket, one without criteria, regardless of its minimum dwell. The leave
is announced like any other.`)
}

func (c *cli) moveCommand(m *move, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: m.verb + " BUCKET USER...", Short: short,
		Long:              long + "\n\nThe exit code is 1 if a user was refused because they are deleted.",
		Example:           "  " + c.host.Name + " " + m.verb + " beta-testers ada grace",
		ValidArgsFunction: c.completeBuckets(1, manualBucket),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fmt.Errorf("%s takes a BUCKET and at least one USER, got %s; see %s --help", m.verb, count(int64(len(args)), "argument"), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.manual(args[0])
			if err != nil {
				return err
			}
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				var all []moved
				refused := int64(0)
				for _, user := range args[1:] {
					done, err := m.one(cmd.Context(), e, ref, user)
					if err != nil {
						return err
					}
					if done.Result == refusedMove {
						refused++
					}
					all = append(all, done)
				}
				err := printList(c, cmd, all, func(out io.Writer) error { return m.report(out, all) })
				if err == nil && refused > 0 {
					err = &refusedError{refused, "user"}
				}
				return err
			})
		},
	}
}

func (m *move) report(out io.Writer, all []moved) error {
	for _, one := range all {
		says := one.UserID + " " + m.kind + " " + one.BucketID
		switch one.Result {
		case "unchanged":
			says = one.UserID + " " + m.same
		case refusedMove:
			says = one.UserID + " was refused: " + one.Problem
		}
		if err := printable.Fprintf(out, "%s\n", says); err != nil {
			return err
		}
	}
	return nil
}

// manual finds the manual bucket with an id, or says which there are.
func (c *cli) manual(id string) (registry.ManualRef, error) {
	ref, err := c.bucket(id)
	if err != nil {
		return registry.ManualRef{}, err
	}
	b, _ := c.host.Registry.Resolve(ref)
	if manualBucket(&c.host.Registry.Tables().Buckets[b]) {
		return registry.NewManualRef(id, b), nil
	}
	const why = "bucket %q has criteria, so its members cannot be changed by hand; "
	if all := c.ids(manualBucket); len(all) > 0 {
		return registry.ManualRef{}, fmt.Errorf(why+"the manual buckets are %s", id, strings.Join(all, ", "))
	}
	return registry.ManualRef{}, fmt.Errorf(why+"there is no manual bucket", id)
}
