package server_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestStopWithin sends SIGTERM to a server while another session locks the table that it writes.
// The server ends by its --stop-timeout, while the table is still locked, and acknowledges no event
// that it did not store.
func TestStopWithin(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	a := &api{url: url, pool: pgtest.Open(t, url), key: command(t, "keys", "create", "test", "--database", url)}
	s := serveWithFlags(t, url, []string{"--stop-timeout", "3s"})
	ended := make(chan struct{})
	go func() { // the log ends with the process
		defer close(ended)
		_, _ = io.Copy(io.Discard, s.log)
	}()
	tx, err := a.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "lock table bucketgen.events in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	acknowledged := make(chan bool, 1)
	go func() { acknowledged <- a.track(context.Background(), s.URL, "m1") }()
	waitfor.That(t, func() bool {
		var waits bool
		err := a.pool.QueryRow(t.Context(), "select exists (select from pg_locks where relation = 'bucketgen.events'::regclass and not granted)").Scan(&waits)
		return err == nil && waits
	})
	began := time.Now()
	s.stop()
	<-ended
	// Without a bound the process waits for the lock, which is held until the test ends. 30 s is
	// ten times the bound.
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the server stopped after %s, want 3s", took)
	}
	if <-acknowledged {
		t.Error("the event was acknowledged")
	}
}
