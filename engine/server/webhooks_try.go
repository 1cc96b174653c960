package server

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/printable"
)

// errNotTaken says that an endpoint did not take a test, which is the exit code's business: what it
// answered was printed.
var errNotTaken = errors.New("the endpoint refused the test")

func (c *cli) webhooksTestCommand() *cobra.Command {
	var allowPrivate bool
	cmd := &cobra.Command{
		Use:   "test NO|NAME",
		Short: "Post a test event to an endpoint and show its answer",
		Long: `Posts {"type": "bucket.test", ...} from this machine to an endpoint, enabled or not, signed like any
other webhook, and prints the answer. The exit code is 1 if the answer is not 2xx or missing.`,
		Example: "  " + c.host.Name + " webhooks test crm",
		Args:    takes(1, "one NO or NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withEndpoints(cmd, allowPrivate, func(all *webhook.Endpoints, _ *database) error {
				answer, err := all.Test(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				err = c.print(cmd, answer, func(out io.Writer) error {
					return printable.Fprintf(out, "%s\n", answer.String())
				})
				if err == nil && !answer.Taken() {
					err = errNotTaken
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&allowPrivate, "allow-private", false, "allow a URL on this machine or a private network")
	return cmd
}

// letter is a webhook that was given up.
type letter struct {
	ID         int64             `json:"id"`
	Attempts   int               `json:"attempts"`
	Error      string            `json:"error"`
	Transition engine.Transition `json:"transition"`
	Notice     *engine.Notice    `json:"notice,omitempty"` // what was to be posted, if that is no transition
}

// about says whom a letter is about: of a notice, the ids in it.
func (l letter) about() string {
	switch n := l.Notice; {
	case n == nil:
		return textOf(l.Transition.Who())
	case n.From != nil && n.Into != nil:
		return textOf(*n.From) + " → " + textOf(*n.Into)
	default:
		ids := make([]string, len(n.IDs))
		for i, id := range n.IDs {
			ids[i] = textOf(id)
		}
		return some(ids, ", ")
	}
}

func (c *cli) webhooksDeadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dead NO|NAME",
		Short:   "List the dead letters of an endpoint",
		Long:    `Lists the webhooks that failed for about three days and were given up, with the last error.`,
		Example: "  " + c.host.Name + " webhooks dead crm",
		Args:    takes(1, "one NO or NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLetters(cmd, args[0], func(_ *engine.Engine, all []letter) error {
				return printList(c, cmd, all, func(out io.Writer) error { return printLetters(out, all) })
			})
		},
	}
	return cmd
}

func printLetters(out io.Writer, all []letter) error {
	t := newTable(out, "ID", "USER", "TRANSITION", "ATTEMPTS", "ERROR")
	for _, l := range all {
		t.row(l.ID, l.about(), l.Transition.Event(), l.Attempts, l.Error)
	}
	return t.end()
}

func (c *cli) webhooksReplayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay NO|NAME [ID...]",
		Short: "Post dead letters again",
		Long: `Posts dead letters again: those with the given IDs (see dead), or all of the endpoint. They keep their
webhook-id, are marked as replayed, and come after later webhooks.`,
		Example: "  " + c.host.Name + " webhooks replay crm\n  " + c.host.Name + " webhooks replay crm 4711",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return takes(1, "a NO or NAME, and IDs")(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLetters(cmd, args[0], func(e *engine.Engine, all []letter) error {
				ids, err := chosen(all, args[1:])
				if err != nil {
					return err
				}
				n := int64(0)
				if len(ids) > 0 { // none would be all, of everybody
					if n, err = e.Outbox().Replay(cmd.Context(), ids...); err != nil {
						return err
					}
				}
				return c.print(cmd, map[string]int64{"replayed": n}, func(out io.Writer) error {
					return printable.Fprintf(out, "replayed %s\n", count(n, "webhook"))
				})
			})
		},
	}
	return cmd
}

// chosen returns the ids of letters that are given, or of all if none is.
func chosen(all []letter, given []string) ([]int64, error) {
	var ids []int64
	for _, l := range all {
		ids = append(ids, l.ID)
	}
	if len(given) == 0 {
		return ids, nil
	}
	wanted := make([]int64, len(given))
	for i, text := range given {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !slices.Contains(ids, id) {
			return nil, fmt.Errorf("the endpoint has no dead letter %q", text)
		}
		wanted[i] = id
	}
	return wanted, nil
}

// withLetters gives the webhooks of an endpoint that were given up, and an engine by which they can
// be replayed.
func (c *cli) withLetters(cmd *cobra.Command, which string, do func(*engine.Engine, []letter) error) error {
	return c.withEndpoints(cmd, false, func(endpoints *webhook.Endpoints, d *database) error {
		found, err := endpoints.Find(cmd.Context(), which)
		if err != nil {
			return err
		}
		return c.withEngineOn(d, nil, started(cmd.Context(), func(e *engine.Engine) error {
			var all []letter
			for l, err := range e.Outbox().DeadLetters(cmd.Context(), found.Subscriptions()...) {
				if err != nil {
					return err
				}
				all = append(all, letter{l.ID, l.Attempts, l.Error, l.Transition, l.Notice})
			}
			return do(e, all)
		}))
	})
}
