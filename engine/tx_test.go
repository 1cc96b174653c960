package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/engine"
)

func TestIngestTxIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	for _, commit := range []bool{false, true} {
		tx, err := w.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		results, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro"}}, engine.Event{UserID: "bob", Name: "never heard of"})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "provisional", brief(results[0].Transitions), []string{"entered pro 1"})
		end := tx.Rollback
		if commit {
			end = tx.Commit
		}
		if err := end(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "member", w.has("pro", "ada"), commit)
	}
	// The name came with a transaction that was rolled back first, and is known all the same.
	w.track("bob", "never heard of")
	equal(t, "events", w.count("select count(*) from bucketgen.events e join bucketgen.event_names n on n.no = e.event_no where n.name = 'never heard of'"), 2)
}

func TestIngestTxSeesItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	var got []string
	for range 3 {
		results, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "visit"})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, brief(results[0].Transitions)...)
	}
	equal(t, "transitions", got, []string{"entered regulars 1"})
}

func TestIngestTxRefusesWithoutHarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var invalid *engine.InvalidError
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "visit"}, engine.Event{UserID: "ada"}); !errors.As(err, &invalid) {
		t.Errorf("got %v", err)
	}
	execSQL(t, w, `create function bucketgen.refuse() returns trigger language plpgsql as $$ begin raise 'no thanks'; end $$`)
	execSQL(t, w, `create trigger refuse before insert on bucketgen.events for each row when (new.properties ? 'poison') execute function bucketgen.refuse()`)
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "visit", Properties: map[string]any{"poison": 1}}); err == nil {
		t.Error("poison: got no error")
	}
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "visit"}); err != nil {
		t.Errorf("the transaction cannot go on: %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "events", w.count("select count(*) from bucketgen.events"), 1)
}

func TestIngestTxNeedsReadCommitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	tx, err := w.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "visit"}); !errors.Is(err, engine.ErrIsolation) {
		t.Errorf("got %v", err)
	}
}

// TestOpenTransactionHoldsUpNoOtherUser leaves a transaction open that has the locks of two users,
// and has created one of them. Events of others go on; those of the two wait for it, in order.
func TestOpenTransactionHoldsUpNoOtherUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	w.track("ada", "visit")
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro"}}, engine.Event{UserID: "new", Name: "visit"}); err != nil {
		t.Fatal(err)
	}
	type outcome struct {
		results []engine.Result
		err     error
	}
	waiting := make(chan outcome)
	go func() {
		results, err := w.IngestBatch(t.Context(), []engine.Event{
			{UserID: "ada", Traits: map[string]any{"plan": "free"}},
			{UserID: "new", Name: "visit"},
			{UserID: "ada", Traits: map[string]any{"plan": "pro"}},
		})
		waiting <- outcome{results, err}
	}()
	for i := range 20 {
		equal(t, "another user", w.identify("u"+itoa(i), map[string]any{"plan": "pro"}), []string{"entered pro 1"})
	}
	select {
	case o := <-waiting:
		t.Fatalf("the locked users were not waited for: %+v", o)
	default:
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := <-waiting
	if o.err != nil {
		t.Fatal(o.err)
	}
	equal(t, "first of ada", brief(o.results[0].Transitions), []string{"left pro 1 by criteria"})
	equal(t, "second of ada", brief(o.results[2].Transitions), []string{"entered pro 2"})
	equal(t, "the new one", brief(o.results[1].Transitions), []string{"entered regulars 1"})
}

// TestClockPassesOverLockedUsers settles everybody but the one whose lock a transaction holds.
func TestClockPassesOverLockedUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	for _, user := range []string{"ada", "bob"} {
		w.track(user, "visit")
		w.track(user, "visit")
	}
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "other"}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Hour)
	w.settle()
	equal(t, "bob", w.has("regulars", "bob"), false)
	equal(t, "ada", w.has("regulars", "ada"), true)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	equal(t, "ada later", w.has("regulars", "ada"), false)
}
