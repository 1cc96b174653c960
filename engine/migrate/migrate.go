// Package migrate makes and updates the tables of the engine. It is apart from the engine because the role that
// migrates need not be, and should not be, the one that the engine runs as: that one never changes the schema.
package migrate

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/bucketgen/bucketgen/internal/store"
)

//go:embed sql/*.sql
var files embed.FS

// Options say where the tables are. The zero value is the default.
type Options struct {
	// Schema is the schema of the tables, as in engine.Config; it is created if need be. Defaults to bucketgen.
	Schema string
}

// Applied is a migration that was applied.
type Applied struct {
	Version  int64
	File     string
	Duration time.Duration
}

// Up applies the migrations that the database has not seen yet, in order, and returns them. It may run in several
// processes at once: one migrates, the others wait. If it returns an error, the migrations that it returns beside it
// have been applied, and the one that failed has not.
func Up(ctx context.Context, pool *pgxpool.Pool, o Options) ([]Applied, error) {
	schema := o.Schema
	if schema == "" {
		schema = store.DefaultSchema
	}
	if err := store.CheckSchema(schema); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if _, err := pool.Exec(ctx, "create schema if not exists "+schema); err != nil {
		return nil, fmt.Errorf("migrate: create schema %s: %w", schema, err)
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	versions, err := database.NewStore(goose.DialectPostgres, schema+".migrations")
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectCustom, db, migrations{schema}, goose.WithStore(versions), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	applied := make([]Applied, len(results))
	for i, r := range results {
		applied[i] = Applied{r.Source.Version, r.Source.Path, r.Duration}
	}
	if err != nil {
		return applied, fmt.Errorf("migrate: %w", err)
	}
	return applied, nil
}

// migrations is the files of the migrations, written for a schema.
type migrations struct {
	schema string
}

// Open opens a file.
func (m migrations) Open(name string) (fs.File, error) {
	sub, err := fs.Sub(files, "sql")
	if err != nil {
		return nil, err
	}
	f, err := sub.Open(name)
	if err != nil || name == "." || m.schema == store.DefaultSchema {
		return f, err
	}
	defer f.Close()
	text, err := fs.ReadFile(sub, name)
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
