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
	return &cobra.Command{
		Use:   "dev",
		Short: "Run the engine for development",
		Long: `Finds or starts PostgreSQL, makes the tables, deploys the buckets, and runs the engine
with its clock and handlers until it is interrupted.`,
		Example: "  " + c.host.Name + " dev",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			return c.dev(cmd, d)
		},
	}
}

func (c *cli) dev(cmd *cobra.Command, d *database) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "PostgreSQL %s\n", d.server.Origin)
	if u, err := url.Parse(d.server.URL); err == nil && u.Scheme != "" { // not host=... password=..., which connects as well
		fmt.Fprintf(out, "  psql '%s'\n", u.Redacted())
	}
	if err := c.migrate(cmd.Context(), d, out); err != nil {
		return err
	}
	e, err := c.engine(d, nil)
	if err != nil {
		return err
	}
	if c.host.Handlers != nil {
		if err = c.host.Handlers(e); err != nil {
			return err
		}
	}
	services, err := c.services(e)
	if err != nil {
		return err
	}
	deployed, err := e.Deploy(cmd.Context(), engine.DeployOptions{}) // who develops wants what they have just written
	if err != nil {
		return err
	}
	if err := e.Start(cmd.Context()); err != nil {
		return err
	}
	if err := services.start(cmd.Context()); err != nil {
		return errors.Join(err, finish(e))
	}
	fmt.Fprintln(out, services)
	fmt.Fprintf(out, "deployment %d, of %s\n", deployed.No, deployed.At.Format(time.RFC3339))
	fmt.Fprintln(out, "buckets:")
	for i := range c.host.Registry.Buckets {
		b := &c.host.Registry.Buckets[i]
		fmt.Fprintf(out, "  %-24s %s\n", b.ID, b.Description)
	}
	fmt.Fprintln(out, "running; interrupt to stop")
	<-cmd.Context().Done()
	return errors.Join(services.stop(), finish(e))
}

// patience is how long what stops may take.
const patience = 30 * time.Second

// finish stops an engine, and gives it some time to write what it took in.
func finish(e *engine.Engine) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return e.Stop(ctx)
}
