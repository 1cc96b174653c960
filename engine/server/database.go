package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/printable"
)

// dataDir is where a private server keeps its data.
const dataDir = ".bucketgen/postgres"

// temporary is what is given in place of a URL for a private server whose data go with it.
const temporary = "temp"

// database is a database to work on.
type database struct {
	pool   *pgxpool.Pool
	server *postgres.Server
}

// open finds or starts the database of the command line. No error has its password.
func (c *cli) open(ctx context.Context, log io.Writer) (d *database, err error) {
	c.database = cmp.Or(c.database, os.Getenv("DATABASE_URL"))
	defer func() { err = postgres.Safe(c.database, err) }()
	o := postgres.Options{URL: c.database, Dir: dataDir, Log: func(text string) { printable.Fprintf(log, "%s\n", text) }}
	if c.database == temporary {
		o.URL, o.Dir = "", ""
	}
	server, err := postgres.Start(ctx, o)
	switch {
	case err != nil && o.URL != "":
		return nil, fmt.Errorf("%w\n--database or $DATABASE_URL names this database; without either, a private one is started", err)
	case err != nil:
		return nil, err
	}
	config, err := c.poolConfig(server.URL)
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return &database{pool, server}, nil
}

// openReader lets the engine read what people look up from a replica, if there is a URL of one. The
// replica need not be there yet. No error has its password.
func (c *cli) openReader(ctx context.Context, url string) (end func(), err error) {
	if url == "" {
		return func() {}, nil
	}
	config, err := c.poolConfig(url)
	if err == nil {
		c.host.Config.Reader, err = pgxpool.NewWithConfig(ctx, config)
	}
	if err != nil {
		return nil, fmt.Errorf("--reader: %w", postgres.Safe(url, err))
	}
	return c.host.Config.Reader.Close, nil
}

// poolConfig returns how the pool connects: as the URL says, and as the host wants.
func (c *cli) poolConfig(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	given, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if _, sized := given.RuntimeParams["pool_max_conns"]; !sized {
		config.MaxConns = max(config.MaxConns, 16) // flushers, clock workers and the outbox have one each
	}
	config.ConnConfig.ConnectTimeout = cmp.Or(config.ConnConfig.ConnectTimeout, 10*time.Second)
	// A password may be rotated while the program runs: each connection reads PGPASSFILE, or the
	// service file, again.
	config.BeforeConnect = func(_ context.Context, connect *pgx.ConnConfig) error {
		again, err := pgxpool.ParseConfig(url)
		if err != nil {
			return postgres.Safe(url, err)
		}
		connect.Password = again.ConnConfig.Password
		return nil
	}
	if c.host.Pool != nil {
		if err := c.host.Pool(config); err != nil {
			return nil, fmt.Errorf("configure the pool: %w", err)
		}
	}
	return config, nil
}

func (d *database) close() error {
	d.pool.Close()
	return d.server.Stop()
}

// migrate makes the tables what they should be, says what it did, and returns the files that it
// applied.
func (c *cli) migrate(ctx context.Context, d *database, log io.Writer) ([]string, error) {
	applied, err := migrate.Up(ctx, d.pool, migrate.Options{Schema: c.schema})
	names := make([]string, len(applied))
	for i, m := range applied {
		names[i] = m.File
		printable.Fprintf(log, "applied %s\n", m.File)
	}
	return names, err
}

// engine makes an engine on the database.
func (c *cli) engine(d *database, change func(*engine.Config)) (*engine.Engine, error) {
	config := c.host.Config
	config.Schema = c.schema
	secret, err := c.suppressionSecret()
	if err != nil {
		return nil, err
	}
	config.SuppressionSecret = cmp.Or(secret, config.SuppressionSecret)
	if change != nil {
		change(&config)
	}
	return engine.New(d.pool, c.host.Registry, config)
}

// withEngine calls do with an engine that is not started. Its clock stands at a time, if one is
// given.
func (c *cli) withEngine(cmd *cobra.Command, at string, do func(*engine.Engine) error) (err error) {
	now, err := clockOf(at)
	if err != nil {
		return err
	}
	d, err := c.open(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return c.record(cmd, d, func() error { return c.withEngineOn(d, now, do) })
}

// withEngineOn is as withEngine, in a database that is open.
func (c *cli) withEngineOn(d *database, now func() time.Time, do func(*engine.Engine) error) error {
	e, err := c.engine(d, func(config *engine.Config) {
		config.NoClock, config.NoDelivery, config.NoDeploy = true, true, true
		if now != nil {
			config.Now, config.VirtualTime = now, true
		}
	})
	if err != nil {
		return err
	}
	return do(e)
}

// clockOf returns a clock that stands at a time, or nil if none is given.
func clockOf(at string) (func() time.Time, error) {
	if at == "" {
		return nil, nil //nolint:nilnil // the engine has a clock of its own
	}
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return nil, fmt.Errorf("--at %q is not a time; write it like 2026-12-01T00:00:00Z", at)
	}
	return func() time.Time { return t }, nil
}

// withRunningEngine is as withEngine, with an engine that runs, but leaves clock and deliveries to
// others.
func (c *cli) withRunningEngine(cmd *cobra.Command, at string, question func(*engine.Engine) error) error {
	return c.withEngine(cmd, at, started(cmd.Context(), question))
}

// started returns a function that calls question with an engine while it runs.
func started(ctx context.Context, question func(*engine.Engine) error) func(*engine.Engine) error {
	return func(e *engine.Engine) (err error) {
		if err := e.Start(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, finish(e)) }()
		return question(e)
	}
}
