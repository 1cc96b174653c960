package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestCommitStatusAfterCrash crashes the server under a transaction. PostgreSQL gives its number to
// the next one, which commits. The first one was not committed all the same.
func TestCommitStatusAfterCrash(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server, err := postgres.Start(ctx, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	pool, err := pgxpool.New(ctx, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := migrate.Up(ctx, pool, migrate.Options{}); err != nil {
		t.Fatal(err)
	}
	s, err := store.New(ctx, acquire(t, pool), store.DefaultSchema, &table.Registry{}, 0, store.NameLimits{})
	if err != nil {
		t.Fatal(err)
	}
	conn := acquire(t, pool)
	committed, committedXID := begin(t, s, conn)
	if over, _, err := s.CommitStatus(ctx, pool, committedXID, committed); over || err != nil {
		t.Errorf("in progress: got over %t, %v", over, err)
	}
	exec(t, conn, "commit")
	if over, did, err := s.CommitStatus(ctx, pool, committedXID, committed); !over || !did || err != nil {
		t.Errorf("committed: got over %t, committed %t, %v", over, did, err)
	}
	rolledBack, rolledBackXID := begin(t, s, conn)
	exec(t, conn, "rollback")
	if over, did, err := s.CommitStatus(ctx, pool, rolledBackXID, rolledBack); !over || did || err != nil {
		t.Errorf("rolled back: got over %t, committed %t, %v", over, did, err)
	}

	lost, lostXID := begin(t, s, conn)
	if err := server.Crash(ctx); err != nil {
		t.Fatal(err)
	}
	pool.Reset()
	if over, did, err := s.CommitStatus(ctx, pool, lostXID, lost); !over || did || err != nil {
		t.Errorf("crashed: got over %t, committed %t, %v", over, did, err)
	}
	var next string
	for next != lostXID { // the number is given again, to one that commits
		if err := pool.QueryRow(ctx, "select pg_current_xact_id()::text").Scan(&next); err != nil {
			t.Fatal(err)
		}
		if len(next) > len(lostXID) || len(next) == len(lostXID) && next > lostXID {
			return // this PostgreSQL has not given the number again
		}
	}
	if over, did, err := s.CommitStatus(ctx, pool, lostXID, lost); !over || did || err != nil {
		t.Errorf("crashed, and another has its number: got over %t, committed %t, %v", over, did, err)
	}
}

func acquire(t *testing.T, pool *pgxpool.Pool) *pgxpool.Conn {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Release)
	return conn
}

// begin begins a transaction with a commit token, and returns the token and the number.
func begin(t *testing.T, s *store.Store, conn *pgxpool.Conn) (store.CommitToken, string) {
	t.Helper()
	token := store.NewCommitToken(conn.Conn().PgConn(), table.At(time.Now()))
	loaded, err := s.Load(t.Context(), conn, store.BeginAndLock(store.Begin{Token: token}), nil)
	if err != nil {
		t.Fatal(err)
	}
	return token, loaded.XID
}

func exec(t *testing.T, conn *pgxpool.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
