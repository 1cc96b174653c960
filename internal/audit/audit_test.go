package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/internal/audit"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// TestMain runs the tests on a PostgreSQL of their own.
func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestOutcome records changes that end in different ways.
func TestOutcome(t *testing.T) {
	t.Parallel()
	clock := enginetest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	pool := pgtest.Open(t, pgtest.NewURL(t))
	l := audit.Log{Pool: pool, Schema: "bucketgen", Now: clock.Now, Log: slog.New(slog.DiscardHandler)}
	wrong := errors.New("wrong")
	gone, cancel := context.WithCancel(t.Context())
	for _, test := range []struct {
		want   string
		err    error
		change func(*bucketgen.AuditEntry)
	}{
		{bucketgen.AuditDone, nil, func(e *bucketgen.AuditEntry) { e.Object, e.Detail = "7", "2 members" }},
		{bucketgen.AuditFailed, wrong, func(*bucketgen.AuditEntry) {}},
		{bucketgen.AuditRefused, wrong, func(e *bucketgen.AuditEntry) { e.Outcome = bucketgen.AuditRefused }},
		{bucketgen.AuditDone, nil, func(*bucketgen.AuditEntry) { cancel() }}, // the client is gone
	} {
		clock.Advance(time.Hour)
		e := &bucketgen.AuditEntry{By: "ada", Key: 3, Via: "api", Action: "test"}
		err := l.Do(gone, e, func() error {
			if under := newest(t, l); under.Outcome != "" || under.ID != e.ID {
				t.Errorf("while it is made: got %+v", under)
			}
			test.change(e)
			return test.err
		})
		if got := newest(t, l); !errors.Is(err, test.err) || got.Outcome != test.want || got != *e && got.Detail != e.Detail {
			t.Errorf("got %+v, %v; want %s, %v", got, err, test.want, test.err)
		}
	}
	if got := newest(t, l); got.By != "ada" || got.Key != 3 || !got.At.Equal(clock.Now()) {
		t.Errorf("got %+v", got)
	}
	changed := false
	if err := l.Do(gone, &bucketgen.AuditEntry{By: "ada"}, func() error { changed = true; return nil }); err == nil || changed {
		t.Errorf("a change is made that is not recorded: %v", err)
	}

	clock.Advance(time.Hour)
	if _, err := l.Forget(t.Context(), 3*time.Hour); err != nil {
		t.Fatal(err)
	}
	if left, err := l.Page(t.Context(), bucketgen.AuditFilter{}, 0, 10); err != nil || len(left) != 3 {
		t.Errorf("%d are left, want those of the last 3 hours: %v", len(left), err)
	}
}

func newest(t *testing.T, l audit.Log) bucketgen.AuditEntry {
	t.Helper()
	all, err := l.Page(t.Context(), bucketgen.AuditFilter{}, 0, 1)
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v", all, err)
	}
	return all[0]
}
