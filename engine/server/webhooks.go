package server

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/store"
)

func (c *cli) webhooksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhooks",
		Short: "Manage the endpoints of webhooks",
		Long: `Webhooks notify other systems of joins and leaves. Every process that runs serve posts transitions to
the endpoints that subscribe to them, signed as Standard Webhooks (https://www.standardwebhooks.com).
A failed webhook is retried for about three days, and then given up until it is replayed. An endpoint
that answers 410 is disabled, and its transitions wait until it is enabled.

Running engines apply a change within a second. The commands work without a running engine.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(audited(c.webhooksCreateCommand()), c.webhooksListCommand(), audited(c.webhooksChangeCommand()), audited(c.webhooksRotateCommand()),
		audited(c.webhooksEnableCommand()), audited(c.webhooksDisableCommand()), audited(c.webhooksDeleteCommand()), c.webhooksTestCommand(),
		c.webhooksDeadCommand(), audited(c.webhooksReplayCommand()))
	return cmd
}

func (c *cli) webhooksCreateCommand() *cobra.Command {
	var buckets, kinds []string
	var allowPrivate bool
	var batch int
	cmd := &cobra.Command{
		Use:   "create NAME URL",
		Short: "Create an endpoint and show its secret",
		Long: `Creates an endpoint and shows, this once, the secret with which the receiver verifies webhooks. The
endpoint receives every transition that is committed from now on.`,
		Example: "  " + c.host.Name + " webhooks create crm https://crm.example.com/hooks\n" +
			"  " + c.host.Name + " webhooks create mailer https://mail.example.com/hooks --bucket power-users --kinds entered,left\n" +
			"  " + c.host.Name + " webhooks create warehouse https://example.com/hooks --batch 100",
		Args: takes(2, "a NAME and a URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withEndpoints(cmd, allowPrivate, func(all *webhook.Endpoints, _ *database) error {
				made, err := all.Create(cmd.Context(), webhook.Endpoint{Name: args[0], URL: args[1], Buckets: buckets, Kinds: kindsOf(kinds), Batch: batch})
				if err != nil {
					return err
				}
				return c.showSecret(cmd, made)
			})
		},
	}
	cmd.Flags().StringSliceVar(&buckets, "bucket", nil, "post the transitions of the bucket with this `ID`; can be repeated (default all buckets)")
	cmd.Flags().StringSliceVar(&kinds, "kinds", nil, "post these `KINDS` of transitions, entered, left, dwell, and of notices, merged, erased (default entered,left,dwell)")
	cmd.Flags().IntVar(&batch, "batch", 1, "post up to `N` transitions at once, 1 to 100, as one webhook of type bucket.batch")
	cmd.Flags().BoolVar(&allowPrivate, "allow-private", false, "allow a URL on this machine or a private network; serve must allow it as well")
	return cmd
}

func kindsOf(names []string) []engine.Kind {
	kinds := make([]engine.Kind, len(names))
	for i, name := range names {
		kinds[i] = engine.Kind(name)
	}
	return kinds
}

func (c *cli) webhooksChangeCommand() *cobra.Command {
	var url string
	var kinds []string
	var allowPrivate bool
	var batch int
	cmd := &cobra.Command{
		Use:   "change NO|NAME",
		Short: "Change the URL, kinds or batch size of an endpoint",
		Long: `Changes the URL, the kinds of transitions or the batch size of an endpoint. Its secret stays. Waiting
webhooks are posted to the new URL at once, also those of a kind that was removed. For other buckets
create another endpoint.`,
		Example: "  " + c.host.Name + " webhooks change crm --url https://crm.example.com/v2\n" +
			"  " + c.host.Name + " webhooks change crm --kinds entered,left\n" +
			"  " + c.host.Name + " webhooks change crm --batch 100",
		Args: takes(1, "one NO or NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			other := url != "" || len(kinds) > 0
			if !other && batch == 0 {
				return fmt.Errorf("change takes --url, --kinds or --batch; see %s --help", cmd.CommandPath())
			}
			return c.withEndpoints(cmd, allowPrivate, func(all *webhook.Endpoints, _ *database) error {
				var changed webhook.Endpoint
				var err error
				if other {
					changed, err = all.Change(cmd.Context(), args[0], url, kindsOf(kinds))
				}
				if err == nil && batch != 0 {
					changed, err = all.SetBatch(cmd.Context(), args[0], batch)
				}
				if err != nil {
					return err
				}
				return c.showDone(cmd, "changed", changed)
			})
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "post to this `URL` (default unchanged)")
	cmd.Flags().StringSliceVar(&kinds, "kinds", nil, "post these `KINDS` of transitions, entered, left, dwell, and of notices, merged, erased (default unchanged)")
	cmd.Flags().IntVar(&batch, "batch", 0, "post up to `N` transitions at once, 1 to 100 (default unchanged)")
	cmd.Flags().BoolVar(&allowPrivate, "allow-private", false, "allow a URL on this machine or a private network; serve must allow it as well")
	return cmd
}

func (c *cli) webhooksRotateCommand() *cobra.Command {
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "rotate NO|NAME",
		Short: "Replace the secret of an endpoint and show the new one",
		Long: `Creates a new secret for an endpoint and shows it, this once. Webhooks are signed with both the new
and the old secret until the grace period ends: the receiver can switch at any time until then.`,
		Example: "  " + c.host.Name + " webhooks rotate crm\n  " + c.host.Name + " webhooks rotate crm --grace 0   # the old one leaked",
		Args:    takes(1, "one NO or NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withEndpoints(cmd, false, func(all *webhook.Endpoints, _ *database) error {
				rotated, err := all.Rotate(cmd.Context(), args[0], grace)
				if err != nil {
					return err
				}
				return c.showSecret(cmd, rotated)
			})
		},
	}
	cmd.Flags().DurationVar(&grace, "grace", webhook.Grace, "how long the old secret stays valid, like 1h30m")
	return cmd
}

// showSecret shows the secret of an endpoint.
func (c *cli) showSecret(cmd *cobra.Command, e webhook.Endpoint) error {
	return c.print(cmd, e, func(out io.Writer) error {
		printable.Fprintf(cmd.ErrOrStderr(), "This is the secret of endpoint %d, %q. It is not shown again. Test the endpoint with %s webhooks test %d.\n", e.No, e.Name, c.host.Name, e.No)
		return printable.Fprintf(out, "%s\n", e.Secret)
	})
}

func (c *cli) webhooksListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the endpoints",
		Long:    `Lists the endpoints with their buckets, kinds of transitions and states.`,
		Example: "  " + c.host.Name + " webhooks list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withEndpoints(cmd, false, func(endpoints *webhook.Endpoints, _ *database) error {
				all, err := endpoints.List(cmd.Context())
				if err != nil {
					return err
				}
				return printList(c, cmd, all, func(out io.Writer) error { return printEndpoints(out, all) })
			})
		},
	}
	return cmd
}

func printEndpoints(out io.Writer, all []webhook.Endpoint) error {
	t := newTable(out, "NO", "NAME", "URL", "BUCKETS", "KINDS", "STATE")
	for _, e := range all {
		buckets, state := "all", "enabled"
		if len(e.Buckets) > 0 {
			buckets = strings.Join(e.Buckets, ",")
		}
		if !e.DisabledAt.IsZero() {
			state = fmt.Sprintf("disabled %s: %s", e.DisabledAt.Format(time.RFC3339), e.DisabledReason)
		}
		kinds := make([]string, len(e.Kinds))
		for i, k := range e.Kinds {
			kinds[i] = string(k)
		}
		t.row(e.No, e.Name, e.URL, buckets, strings.Join(kinds, ","), state)
	}
	return t.end()
}

func (c *cli) webhooksEnableCommand() *cobra.Command {
	return c.webhooksDeedCommand(endpointDeed{
		verb: "enable", done: "enabled", short: "Enable a disabled endpoint",
		long: `Enables an endpoint that was disabled by hand or by its answer 410. Waiting webhooks are posted at
once and in order, including those that were scheduled for a later retry.`,
		do: func(cmd *cobra.Command, all *webhook.Endpoints, which string) (webhook.Endpoint, error) {
			return all.Enable(cmd.Context(), which)
		},
	})
}

func (c *cli) webhooksDisableCommand() *cobra.Command {
	reason := "by hand"
	cmd := c.webhooksDeedCommand(endpointDeed{
		verb: "disable", done: "disabled", short: "Disable an endpoint",
		long: `Disables an endpoint until it is enabled. Its transitions wait meanwhile.`,
		do: func(cmd *cobra.Command, all *webhook.Endpoints, which string) (webhook.Endpoint, error) {
			return all.Disable(cmd.Context(), which, reason)
		},
	})
	cmd.Flags().StringVar(&reason, "reason", reason, "the `REASON` that list shows")
	return cmd
}

func (c *cli) webhooksDeleteCommand() *cobra.Command {
	return c.webhooksDeedCommand(endpointDeed{
		verb: "delete", done: "deleted", short: "Delete an endpoint",
		long: `Deletes an endpoint with its secrets, its waiting webhooks and its dead letters.`,
		do: func(cmd *cobra.Command, all *webhook.Endpoints, which string) (webhook.Endpoint, error) {
			return all.Delete(cmd.Context(), which)
		},
	})
}

// endpointDeed is something that is done with an endpoint.
type endpointDeed struct {
	verb, done, short, long string
	do                      func(cmd *cobra.Command, all *webhook.Endpoints, which string) (webhook.Endpoint, error)
}

func (c *cli) webhooksDeedCommand(d endpointDeed) *cobra.Command {
	return &cobra.Command{
		Use:     d.verb + " NO|NAME",
		Short:   d.short,
		Long:    d.long,
		Example: "  " + c.host.Name + " webhooks " + d.verb + " crm",
		Args:    takes(1, "one NO or NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withEndpoints(cmd, false, func(all *webhook.Endpoints, _ *database) error {
				e, err := d.do(cmd, all, args[0])
				if err != nil {
					return err
				}
				return c.showDone(cmd, d.done, e)
			})
		},
	}
}

// showDone says what was done with an endpoint.
func (c *cli) showDone(cmd *cobra.Command, done string, e webhook.Endpoint) error {
	return c.print(cmd, e, func(out io.Writer) error {
		return printable.Fprintf(out, "%s endpoint %d, %q\n", done, e.No, e.Name)
	})
}

// withEndpoints gives the endpoints of the database of the command line, and that.
func (c *cli) withEndpoints(cmd *cobra.Command, allowPrivate bool, do func(*webhook.Endpoints, *database) error) (err error) {
	d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if _, err := store.CheckVersion(cmd.Context(), d.pool, c.schema); err != nil {
		return err
	}
	all, err := webhook.Open(d.pool, webhook.Config{Schema: c.schema, AllowPrivate: allowPrivate})
	if err != nil {
		return err
	}
	err = c.record(cmd, d, func() error { return do(all, d) })
	if errors.Is(err, webhook.ErrUnknownEndpoint) {
		return fmt.Errorf("%w; see %s webhooks list", err, c.host.Name)
	}
	return err
}
