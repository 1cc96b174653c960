package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/httpapi"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/session"
)

func (c *cli) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Create or update the tables",
		Long: `Applies the migrations that the database lacks. Several processes can run it at once: one
migrates, the others wait.`,
		Example: "  " + c.host.Name + " migrate --database postgres://localhost/app",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			log := cmd.OutOrStdout()
			if c.asJSON {
				log = cmd.ErrOrStderr()
			}
			applied, err := c.migrate(cmd.Context(), d, log)
			if err != nil {
				return err
			}
			return c.print(cmd, migrated{applied}, func(out io.Writer) error {
				return printable.Fprintf(out, "the tables are up to date\n")
			})
		},
	}
}

// migrated is what is printed of a migration.
type migrated struct {
	Applied []string `json:"applied"` // files
}

func (c *cli) devCommand() *cobra.Command {
	var address, moment string
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the engine and its HTTP API for development",
		Long: `Finds or starts PostgreSQL, creates the tables, deploys the buckets, and runs the engine with
its clock and handlers until it is interrupted. The HTTP API is that of serve --studio. dev creates
and prints an admin key, and revokes it at the end, and a link that signs in to Studio once. Webhooks
may be posted to this machine.`,
		Example: "  " + c.host.Name + " dev",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := c.stopClock(moment); err != nil {
				return err
			}
			at, err := bind(cmd.Context(), "--listen", address)
			if err != nil {
				return err
			}
			defer at.Close()
			d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.close()) }()
			return c.dev(cmd, d, at)
		},
	}
	cmd.Flags().StringVar(&address, "listen", "localhost:0", "`ADDRESS` to listen on; port 0 picks a free port")
	cmd.Flags().StringVar(&moment, "at", "", "stop the clock at this `TIME`, to see a database filled by replay as it was then (default the clock runs)")
	c.trackingFlags(cmd)
	return cmd
}

// stopClock makes engines run at one time, unless it is empty.
func (c *cli) stopClock(moment string) error {
	at, err := instant("--at", moment)
	if err == nil && !at.IsZero() {
		c.host.Config.Now, c.host.Config.VirtualTime, c.host.Config.NoClock = func() time.Time { return at }, true, true
	}
	return err
}

func (c *cli) dev(cmd *cobra.Command, d *database, at net.Listener) error {
	out := cmd.OutOrStdout()
	if c.asJSON {
		out = cmd.ErrOrStderr()
	}
	printable.Fprintf(out, "PostgreSQL %s\n", d.server.Origin)
	if u, err := url.Parse(d.server.URL); err == nil && u.Scheme != "" { // not host=... password=..., which connects as well
		printable.Fprintf(out, "  psql '%s'\n", postgres.Redact(d.server.URL))
	}
	applied, err := c.migrate(cmd.Context(), d, out)
	if err != nil {
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
	printable.Fprintf(out, "%v\n", r)
	printable.Fprintf(out, "deployment %d, of %s\n", deployed.No, deployed.At.Format(time.RFC3339))
	printable.Fprintf(out, "buckets:\n")
	for i := range c.host.Registry.Tables().Buckets {
		b := &c.host.Registry.Tables().Buckets[i]
		printable.Fprintf(out, "  %-24s %s\n", b.ID, b.Description)
	}
	err = c.serveDev(cmd, d, r, at, serving{URL: "http://" + at.Addr().String(), Engine: r.String(), Database: postgres.Redact(d.server.URL), Applied: applied, Deployment: &deployed})
	return errors.Join(err, r.stop())
}

// devKey is what the key is called that dev makes.
const devKey = "dev"

// serveDev lets events in by HTTP, with a key of its own, until it is interrupted.
func (c *cli) serveDev(cmd *cobra.Command, d *database, r *running, at net.Listener, s serving) (err error) {
	ctx, all := cmd.Context(), apikey.Store{Pool: d.pool, Schema: c.schema}
	revoke := func(ctx context.Context) error { _, err := all.Revoke(ctx, devKey); return err }
	if err := revoke(ctx); err != nil { // of one that was killed
		return err
	}
	k, err := all.Create(ctx, devKey, apikey.Admin, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, revoke(context.WithoutCancel(ctx))) }()
	h, err := c.withStudio(httpapi.Handler(c.api(d, r.Engine)))
	if err != nil {
		return err
	}
	once, err := session.Store{Pool: d.pool, Schema: c.schema, Now: r.Engine.Now}.Offer(ctx, k.No)
	if err != nil {
		return err
	}
	l := c.listen(at, h)
	s.Key, s.Studio = k.Secret, s.URL+studioPrefix+"/#once="+once
	err = c.print(cmd, s, func(out io.Writer) error {
		printable.Fprintf(out, "send events from another terminal:\n  export KEY=%s URL=%s\n", s.Key, s.URL)
		printable.Fprintf(out, "%s\n", `  curl -u $KEY: -H 'Content-Type: application/json' $URL/v1/track -d '{"userId":"ada","event":"signed up"}'`)
		printable.Fprintf(out, "  curl -u $KEY: $URL/v1/users/ada/timeline\n")
		printable.Fprintf(out, "open Studio, within a minute and once; later sign in with the key:\n  %s\n", s.Studio)
		return printable.Fprintf(out, "running; interrupt to stop\n")
	})
	return errors.Join(err, l.wait(ctx, r))
}
