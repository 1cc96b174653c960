package engine_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/engine"
)

// TestEraseTx erases a person in a transaction that is rolled back, and in one that is committed.
func TestEraseTx(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	ingestAll(t, w.Engine, []engine.Event{{UserID: "ada", AnonymousID: "phone", Traits: map[string]any{"plan": "pro"}}})
	for _, commit := range []bool{false, true} {
		tx, err := w.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.People().EraseTx(t.Context(), tx, "bob", engine.EraseOptions{}); !errors.Is(err, engine.ErrUnknownUser) {
			t.Errorf("an unknown person: got %v", err)
		}
		out, err := w.People().EraseTx(t.Context(), tx, "phone", engine.EraseOptions{Kind: engine.KindAnonymous, Suppress: true})
		if err != nil || out.Rows == 0 {
			t.Fatalf("got %+v, %v", out, err)
		}
		end := tx.Rollback
		if commit {
			end = tx.Commit
		}
		if err := end(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "member", w.has("pro", "ada"), !commit)
		known, err := w.People().Suppression(t.Context(), engine.KindUser, "ada")
		if err != nil || known.Suppressed != commit {
			t.Errorf("committed %t: got %+v, %v", commit, known, err)
		}
	}
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 0)
	result, err := w.Ingest(t.Context(), engine.Event{UserID: "ada", AnonymousID: "phone", Name: "visit"})
	if err != nil || !result.Suppressed {
		t.Errorf("an event that comes next: got %+v, %v, want that it is suppressed", result, err)
	}
}

// TestEraseTxNeedsReadCommitted refuses a transaction that does not see what others commit.
func TestEraseTxNeedsReadCommitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	tx, err := w.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := w.People().EraseTx(t.Context(), tx, "ada", engine.EraseOptions{}); !errors.Is(err, engine.ErrIsolation) {
		t.Errorf("got %v", err)
	}
}
