package migrate_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestUpWaits migrates an empty database by several processes at once: one makes the tables, the
// others find them.
func TestUpWaits(t *testing.T) {
	t.Parallel()
	for range 3 {
		url := pgtest.NewEmptyURL(t)
		const processes = 6
		applied, failed := make(chan int, processes), make(chan error, processes)
		for range processes {
			config, err := pgxpool.ParseConfig(url)
			if err != nil {
				t.Fatal(err)
			}
			config.MaxConns = 1
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			go func() {
				all, err := migrate.Up(context.WithoutCancel(t.Context()), pool, migrate.Options{})
				applied <- len(all)
				failed <- err
			}()
		}
		worked := 0
		for range processes {
			if <-applied > 0 {
				worked++
			}
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		if worked != 1 {
			t.Errorf("%d processes applied migrations, want 1", worked)
		}
	}
}

// TestUpBesideAnotherProgram migrates while a program that is not Up creates the schema, and
// commits it only when Up waits for it.
func TestUpBesideAnotherProgram(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.NewEmptyURL(t))
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "create schema bucketgen"); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := migrate.Up(context.WithoutCancel(t.Context()), pool, migrate.Options{})
		failed <- err
	}()
	waitfor.That(t, func() bool {
		var waits bool
		err := pool.QueryRow(t.Context(), `select exists (
			select from pg_stat_activity where datname = current_database() and query like 'create schema%' and wait_event_type = 'Lock'
		)`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
		return waits
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// TestUpInAGivenSchema migrates as a role that owns the schema and may not make any.
func TestUpInAGivenSchema(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(pgtest.NewEmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	dba, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dba.Close)
	role := "owner_" + config.ConnConfig.Database
	exec := func(ctx context.Context, sql string) {
		t.Helper()
		if _, err := dba.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(t.Context(), "create role "+role+" login")
	t.Cleanup(func() { exec(context.Background(), "drop owned by "+role+"; drop role "+role) })
	exec(t.Context(), "create schema segments authorization "+role)
	of := config.Copy()
	of.ConnConfig.User = role
	pool, err := pgxpool.NewWithConfig(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := migrate.Up(t.Context(), pool, migrate.Options{Schema: "segments"}); err != nil {
		t.Error(err)
	}
	if _, err := migrate.Up(t.Context(), pool, migrate.Options{Schema: "others"}); err == nil {
		t.Error("a schema that is not there: got no error")
	}
}
