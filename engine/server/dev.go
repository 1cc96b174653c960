package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

func (c *cli) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Make or update the tables",
		Long: `Applies the migrations that the database has not seen yet. It may run in several
processes at once: one migrates, the others wait.`,
		Example: "  " + c.host.Name + " migrate --database postgres://localhost/app",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			if err := c.migrate(cmd.Context(), d, cmd.OutOrStdout()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "the tables are up to date")
			return nil
		},
	}
}

func (c *cli) devCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the engine and its HTTP API for development",
		Long: `Finds or starts PostgreSQL, makes the tables, deploys the buckets, and runs the engine
with its clock and handlers until it is interrupted. Events come in by HTTP, as with serve;
a key for them is made and printed, and revoked at the end. Webhooks may go to this machine.`,
		Example: "  " + c.host.Name + " dev",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			return c.dev(cmd, d, address)
		},
	}
	cmd.Flags().StringVar(&address, "listen", "localhost:0", "`ADDRESS` to listen on; the port 0 is any that is free")
	return cmd
}

func (c *cli) dev(cmd *cobra.Command, d *database, address string) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "PostgreSQL %s\n", d.server.Origin)
	if u, err := url.Parse(d.server.URL); err == nil && u.Scheme != "" { // not host=... password=..., which connects as well
		fmt.Fprintf(out, "  psql '%s'\n", u.Redacted())
	}
	if err := c.migrate(cmd.Context(), d, out); err != nil {
		return err
	}
	r, err := c.prepare(d, true)
	if err != nil {
		return err
	}
	deployed, err := r.Deploy(cmd.Context(), engine.DeployOptions{}) // who develops wants what they have just written
	if err != nil {
		return err
	}
	if err := r.start(cmd.Context()); err != nil {
		return err
	}
	fmt.Fprintln(out, r)
	fmt.Fprintf(out, "deployment %d, of %s\n", deployed.No, deployed.At.Format(time.RFC3339))
	fmt.Fprintln(out, "buckets:")
	for i := range c.host.Registry.Buckets {
		b := &c.host.Registry.Buckets[i]
		fmt.Fprintf(out, "  %-24s %s\n", b.ID, b.Description)
	}
	err = c.invite(cmd, d, r.Engine, address)
	return errors.Join(err, r.stop())
}

// devKey is what the key is called that dev makes.
const devKey = "dev"

// invite lets events in by HTTP, with a key of its own, until it is interrupted.
func (c *cli) invite(cmd *cobra.Command, d *database, e *engine.Engine, address string) (err error) {
	ctx, out, all := cmd.Context(), cmd.OutOrStdout(), keys{d.pool, c.schema}
	revoke := func(ctx context.Context) error { _, err := all.revoke(ctx, devKey); return err }
	if err := revoke(ctx); err != nil { // of one that was killed
		return err
	}
	k, err := all.create(ctx, devKey, writeKey, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, revoke(context.WithoutCancel(ctx))) }()
	s, err := c.listen(ctx, d, e, address)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "events:\n  curl -u %s: -H 'Content-Type: application/json' http://%s/v1/track \\\n", k.Secret, s.address)
	fmt.Fprintln(out, `    -d '{"userId":"ada","event":"signed up"}'`)
	fmt.Fprintln(out, "running; interrupt to stop")
	return s.wait(ctx)
}
