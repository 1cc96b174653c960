package session_test

import (
	"context"
	"crypto/sha256"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/session"
)

// TestMain runs the tests on a PostgreSQL of their own.
func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

type world struct {
	session.Store
	clock *enginetest.Clock
	keys  apikey.Store
	key   apikey.Key
}

func newWorld(t *testing.T) *world {
	t.Helper()
	pool := pgtest.Open(t, pgtest.NewURL(t))
	w := &world{clock: enginetest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), keys: apikey.Store{Pool: pool, Schema: "bucketgen"}}
	w.Store = session.Store{Pool: pool, Schema: "bucketgen", Now: w.clock.Now}
	var err error
	if w.key, err = w.keys.Create(t.Context(), "ada", apikey.Read, 7); err != nil {
		t.Fatal(err)
	}
	return w
}

// begin begins a session.
func (w *world) begin(t *testing.T) string {
	t.Helper()
	secret, err := w.Begin(t.Context(), w.key.No)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// lives checks whether a session lasts. It counts as a request only if it is to.
func (w *world) lives(t *testing.T, secret string, want bool) {
	t.Helper()
	all, err := w.FindAll(t.Context(), [][]byte{sum(secret)})
	if _, known := all[apikey.Digest(sum(secret))]; err != nil || known != want {
		t.Errorf("at %v FindAll finds it: %v, %v; want %v", w.clock.Now(), known, err, want)
	}
	k, known, err := w.Find(t.Context(), secret)
	if err != nil || known != want || known && (k.No != w.key.No || k.Kind != apikey.Read || k.Rate != 7 || k.Name != "ada") {
		t.Errorf("at %v got %+v, %v, %v; want %v", w.clock.Now(), k, known, err, want)
	}
}

func sum(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// TestIdle ends a session 12 hours after its last request, not after its begin.
func TestIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	used, unused := w.begin(t), w.begin(t)
	w.clock.Advance(session.Idle - time.Minute)
	w.lives(t, used, true)
	w.clock.Advance(time.Minute)
	w.lives(t, unused, false)
	w.lives(t, used, true)
	w.clock.Advance(session.Idle)
	w.lives(t, used, false)
}

// TestLongest ends a session after 7 days, however often it is used.
func TestLongest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.begin(t)
	for range 13 {
		w.clock.Advance(session.Idle - time.Minute)
		w.lives(t, secret, true)
	}
	w.clock.Advance(13*time.Minute + session.Idle)
	w.lives(t, secret, false)
}

// TestEnd ends sessions by sign-out and by revoking the key.
func TestEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, other := w.begin(t), w.begin(t)
	for range 2 {
		if err := w.End(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	w.lives(t, one, false)
	w.lives(t, other, true)
	if n, err := w.keys.Revoke(t.Context(), "ada"); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	w.lives(t, other, false)
	w.lives(t, "never begun", false)
}

// TestOffer takes an offer from several goroutines, of which one gets it, and one that is too old.
func TestOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	offer := func() string {
		secret, err := w.Offer(t.Context(), w.key.No)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	secret := offer()
	w.lives(t, secret, false) // an offer is no session
	w.clock.Advance(session.Offered - time.Second)
	var taken atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			k, known, err := w.Take(context.WithoutCancel(t.Context()), secret)
			if err != nil || known && k.No != w.key.No {
				t.Errorf("got %+v, %v", k, err)
			}
			if known {
				taken.Add(1)
			}
		})
	}
	group.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("the offer was taken %d times", n)
	}
	late := offer()
	w.clock.Advance(session.Offered)
	if _, known, err := w.Take(t.Context(), late); known || err != nil {
		t.Errorf("a late offer was taken: %v", err)
	}
	revoked := offer()
	if _, err := w.keys.Revoke(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if _, known, err := w.Take(t.Context(), revoked); known || err != nil {
		t.Errorf("the offer of a revoked key was taken: %v", err)
	}
}

// TestBeginDeletesEnded counts the rows that are left.
func TestBeginDeletesEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.begin(t)
	}
	if _, err := w.Offer(t.Context(), w.key.No); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(session.Offered)
	w.begin(t)
	rows := func(want int) {
		t.Helper()
		var n int
		if err := w.Pool.QueryRow(t.Context(), "select count(*) from bucketgen.sessions").Scan(&n); err != nil || n != want {
			t.Errorf("%d sessions are stored, want %d: %v", n, want, err)
		}
	}
	rows(4)
	w.clock.Advance(session.Idle)
	w.begin(t)
	rows(1)
}

// TestReadOnlyDatabase finds a session whose last request is long ago while the database takes no
// writes.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	clock := enginetest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	written := session.Store{Pool: pgtest.Open(t, url), Schema: "bucketgen", Now: clock.Now}
	keys := apikey.Store{Pool: written.Pool, Schema: "bucketgen"}
	k, err := keys.Create(t.Context(), "ada", apikey.Read, 0)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := written.Begin(t.Context(), k.No)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	read := written
	read.Pool = pgtest.Open(t, url+"&default_transaction_read_only=on")
	if got, known, err := read.Find(t.Context(), secret); err != nil || !known || got.No != k.No {
		t.Errorf("got %+v, %v, %v; want key %d", got, known, err, k.No)
	}
}
