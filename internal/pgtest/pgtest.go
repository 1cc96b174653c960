// Package pgtest gives tests databases of their own, on a real PostgreSQL: the one that
// TEST_DATABASE_URL names, or a private one that starts with the first test that needs it. A
// package that uses it has
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
)

// shared is the server of this process, with a database in which the tables are made already.
var shared struct {
	sync.Once
	server   *postgres.Server
	template string
	err      error
}

// Run runs the tests of a package and stops the server after them.
func Run(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		drop(context.Background(), shared.template)
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
			return 1
		}
	}
	return code
}

// New returns a pool on a fresh database with the engine's tables. Both go with the test. No schema
// is on its search path, so that a query that forgets the schema fails.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return Open(t, NewURL(t))
}

// Example is as New, for examples, which have no test. The database goes when done is called.
func Example() (pool *pgxpool.Pool, done func()) {
	t, done := Testing()
	return New(t), done
}

// Testing returns what an example has for a test. What was registered with its Cleanup happens when
// done is called.
func Testing() (t testing.TB, done func()) {
	e := &example{}
	return e, func() {
		for _, f := range slices.Backward(e.cleanups) {
			f()
		}
	}
}

// example is what an example has for a test.
type example struct {
	testing.TB
	cleanups []func()
}

func (e *example) Helper()                           {}
func (e *example) Context() context.Context          { return context.Background() }
func (e *example) Error(args ...any)                 { panic(fmt.Sprint(args...)) }
func (e *example) Cleanup(f func())                  { e.cleanups = append(e.cleanups, f) }
func (e *example) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (e *example) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// NewURL is as New, and returns the URL of the database.
func NewURL(t testing.TB) string {
	t.Helper()
	return create(t, func() string { return shared.template })
}

// NewEmptyURL is as NewURL, and there are no tables yet.
func NewEmptyURL(t testing.TB) string {
	t.Helper()
	return create(t, func() string { return "template0" })
}

func create(t testing.TB, template func() string) string {
	t.Helper()
	ctx := context.Background()
	shared.Do(func() { shared.err = start(ctx) })
	if shared.err != nil {
		t.Fatalf("tests need PostgreSQL: %v", shared.err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if err := admin(ctx, "create database "+name+" template "+template()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drop(context.Background(), name) })
	return shared.server.Database(name)
}

// Open returns a pool on a database, which is closed with the test.
func Open(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 16
	config.ConnConfig.RuntimeParams["search_path"] = ""
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func start(ctx context.Context) error {
	server, err := postgres.Start(ctx, postgres.Options{URL: os.Getenv("TEST_DATABASE_URL")})
	if err != nil {
		return err
	}
	shared.server = server
	shared.template = "t_template_" + strings.ToLower(rand.Text())
	if err := admin(ctx, "create database "+shared.template); err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, server.Database(shared.template))
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = migrate.Up(ctx, pool, migrate.Options{})
	return err
}

func admin(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, shared.server.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

func drop(ctx context.Context, name string) {
	if err := admin(ctx, "drop database if exists "+name+" with (force)"); err != nil {
		fmt.Fprintln(os.Stderr, "drop a test database:", err)
	}
}
