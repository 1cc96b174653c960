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

// TestTxTwins makes each change in a transaction beside a row of the caller, and expects both or
// neither.
func TestTxTwins(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		before func(w *world)
		do     func(w *world, tx pgx.Tx) error
		done   func(w *world) bool
	}{
		{"add", func(*world) {}, func(w *world, tx pgx.Tx) error {
			_, err := w.AddTx(t.Context(), tx, w.manual("testers"), "ada")
			return err
		}, func(w *world) bool { return w.has("testers", "ada") }},
		{"remove", func(w *world) {
			_, err := w.Add(t.Context(), w.manual("testers"), "ada")
			must(t, err)
		}, func(w *world, tx pgx.Tx) error {
			_, err := w.RemoveTx(t.Context(), tx, w.manual("testers"), "ada")
			return err
		}, func(w *world) bool { return !w.has("testers", "ada") }},
		{"delete", func(w *world) { w.identify("ada", map[string]any{"plan": "pro"}) }, func(w *world, tx pgx.Tx) error {
			return w.DeleteTx(t.Context(), tx, "ada")
		}, func(w *world) bool { return !w.has("pro", "ada") }},
		{"restore", func(w *world) {
			w.identify("ada", map[string]any{"plan": "pro"})
			must(t, w.Delete(t.Context(), "ada"))
		}, func(w *world, tx pgx.Tx) error {
			_, err := w.RestoreTx(t.Context(), tx, "ada")
			return err
		}, func(w *world) bool { return w.has("pro", "ada") }},
		{"merge", func(w *world) {
			w.identify("anon", map[string]any{"plan": "pro"})
			w.track("ada", "visit")
		}, func(w *world, tx pgx.Tx) error {
			made, err := w.MergeTx(t.Context(), tx, "anon", "ada")
			if err == nil && len(made) > 0 {
				t.Errorf("merge: got %v, want nothing that happened", brief(made))
			}
			return err
		}, func(w *world) bool { return w.has("pro", "ada") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pro, testers)
			execSQL(t, w, "create table public.orders (id int)")
			test.before(w)
			for _, commit := range []bool{false, true} {
				tx, err := w.pool.Begin(t.Context())
				must(t, err)
				_, err = tx.Exec(t.Context(), "insert into public.orders values (1)")
				must(t, err)
				must(t, test.do(w, tx))
				end := tx.Rollback
				if commit {
					end = tx.Commit
				}
				must(t, end(t.Context()))
				equal(t, "row", w.count("select count(*) from public.orders") == 1, commit)
				equal(t, "change", test.done(w), commit)
			}
			tx, err := w.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
			must(t, err)
			defer tx.Rollback(t.Context())
			if err := test.do(w, tx); !errors.Is(err, engine.ErrIsolation) {
				t.Errorf("isolation: got %v, want ErrIsolation", err)
			}
		})
	}
}

// TestMergeTxRolledBackIsForgotten names the merged user again within the transaction that merged
// it, and once more after a rollback.
func TestMergeTxRolledBackIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.track("anon", "visit")
	w.track("ada", "visit")
	tx, err := w.pool.Begin(t.Context())
	must(t, err)
	_, err = w.MergeTx(t.Context(), tx, "anon", "ada")
	must(t, err)
	results, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "anon", Traits: map[string]any{"plan": "pro"}})
	must(t, err)
	equal(t, "within", results[0].Transitions[0].UserID, "ada")
	must(t, tx.Rollback(t.Context()))
	w.identify("anon", map[string]any{"plan": "pro"})
	equal(t, "anon", w.has("pro", "anon"), true)
	equal(t, "ada", w.has("pro", "ada"), false)
}

// TestTxTwinRefusedLeavesTheTransaction refuses a change, and goes on in the same transaction.
func TestTxTwinRefusedLeavesTheTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, testers)
	w.track("ada", "visit")
	must(t, w.Delete(t.Context(), "ada"))
	tx, err := w.pool.Begin(t.Context())
	must(t, err)
	if _, err := w.AddTx(t.Context(), tx, w.manual("testers"), "ada"); !errors.Is(err, engine.ErrDeleted) {
		t.Errorf("got %v, want ErrDeleted", err)
	}
	_, err = w.AddTx(t.Context(), tx, w.manual("testers"), "bob")
	must(t, err)
	must(t, tx.Commit(t.Context()))
	equal(t, "bob", w.has("testers", "bob"), true)
}
