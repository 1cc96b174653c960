// Package migrate makes and updates the tables of the engine. It is apart from the engine because
// the role that migrates need not be, and should not be, the one that the engine runs as: that one
// never changes the schema.
package migrate

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/bucketgen/bucketgen/internal/store"
)

//go:embed sql/*.sql
var embedded embed.FS

// Options say where the tables are. The zero value is the default.
type Options struct {
	// Schema is the schema of the tables, as in engine.Config; it is created if need be. Defaults
	// to bucketgen.
	Schema string
}

// Applied is a migration that was applied.
type Applied struct {
	Version  int64
	File     string
	Duration time.Duration
}

// Up applies the migrations that the database has not seen yet, in order, and returns them. It may
// run in several processes at once: one migrates, the others wait. If it returns an error, the
// migrations that it returns beside it have been applied, and the one that failed has not. Tables
// that a version from before the first release made are an error.
func Up(ctx context.Context, pool *pgxpool.Pool, o Options) ([]Applied, error) {
	files, err := fs.Sub(embedded, "sql")
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return up(ctx, pool, o, files)
}

func up(ctx context.Context, pool *pgxpool.Pool, o Options, files fs.FS) ([]Applied, error) {
	schema := o.Schema
	if schema == "" {
		schema = store.DefaultSchema
	}
	if err := store.CheckSchema(schema); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	unlock, err := prepare(ctx, pool, schema)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	defer unlock()
	// Statements are not prepared, so that migrations also run behind a pooler in transaction mode.
	config := pool.Config()
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	var options []stdlib.OptionOpenDB
	if config.BeforeConnect != nil {
		options = append(options, stdlib.OptionBeforeConnect(config.BeforeConnect))
	}
	db := stdlib.OpenDB(*config.ConnConfig, options...)
	defer db.Close()
	versions, err := database.NewStore(goose.DialectPostgres, schema+".migrations")
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectCustom, db, migrations{files, schema}, goose.WithStore(versions), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	if partial, is := errors.AsType[*goose.PartialError](err); is {
		results, err = partial.Applied, fmt.Errorf("apply %s: %w", partial.Failed.Source.Path, partial.Err)
	}
	applied := make([]Applied, len(results))
	for i, r := range results {
		applied[i] = Applied{r.Source.Version, r.Source.Path, r.Duration}
	}
	if err != nil {
		return applied, fmt.Errorf("migrate: %w", err)
	}
	return applied, nil
}

// prepare waits until no other process migrates, and makes the schema. The others wait until unlock
// is called.
func prepare(ctx context.Context, pool *pgxpool.Pool, schema string) (unlock func(), err error) {
	// The lock is that of a transaction, on a connection of its own: a pool may have only one, and
	// behind a pooler a session is not ours. The number is that of goose, so that programs that
	// lock by a session wait, too.
	config := pool.Config()
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	unlock = func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = conn.Close(closing) // which ends the transaction
	}
	if err := lockIn(ctx, conn, schema); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func lockIn(ctx context.Context, conn *pgx.Conn, schema string) error {
	facts, err := store.QueriesIn(conn, schema).ServerFacts(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the server: %w", err)
	}
	if err := store.CheckServer(facts.Version, facts.VersionText); err != nil {
		return err
	}
	// Before the transaction, which an error would end: without tables there is one.
	_, err = store.CheckVersion(ctx, conn, schema)
	if unreleased, is := errors.AsType[*store.UnreleasedError](err); is {
		return unreleased
	}
	for _, sql := range []string{
		"begin isolation level read committed",
		"set local lock_timeout = 0",
		"set local statement_timeout = 0",
		"set local idle_in_transaction_session_timeout = 0",
		fmt.Sprintf("select pg_advisory_xact_lock(%d)", lock.DefaultLockID),
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("wait for other migrations: %w", err)
		}
	}
	return makeSchema(ctx, conn, schema)
}

// makeSchema makes the schema if need be, on a connection of its own: it is to last, because what
// goose does next is done by other connections. It may be there already, made by another role for
// this one, which may make none.
func makeSchema(ctx context.Context, conn *pgx.Conn, schema string) error {
	var there bool
	if err := conn.QueryRow(ctx, "select to_regnamespace($1) is not null", schema).Scan(&there); err != nil {
		return fmt.Errorf("find schema %s: %w", schema, err)
	}
	if there {
		return nil
	}
	other, err := pgx.ConnectConfig(ctx, conn.Config())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer other.Close(ctx)
	_, err = other.Exec(ctx, "create schema if not exists "+schema)
	switch {
	case store.HasCode(err, uniqueViolation):
		// Another program committed the schema while this statement waited for it, as a deployment
		// tool may: "if not exists" checks before it waits.
		return nil
	case err != nil:
		return fmt.Errorf("create schema %s: %w", schema, err)
	}
	return nil
}

const uniqueViolation = "23505"

// migrations is the files of the migrations, written for a schema.
type migrations struct {
	files  fs.FS
	schema string
}

// Open opens a file.
func (m migrations) Open(name string) (fs.File, error) {
	f, err := m.files.Open(name)
	if err != nil || name == "." || m.schema == store.DefaultSchema {
		return f, err
	}
	defer f.Close()
	text, err := fs.ReadFile(m.files, name)
	if err != nil {
		return nil, err
	}
	return file{f, bytes.NewReader([]byte(store.InSchema(string(text), m.schema)))}, nil
}

// file is a file with another text than it has.
type file struct {
	fs.File
	text *bytes.Reader
}

// Read reads the text.
func (f file) Read(p []byte) (int, error) { return f.text.Read(p) }

// Close does nothing: the file was read already.
func (f file) Close() error { return nil }
