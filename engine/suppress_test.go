package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// secret is one under which ids are hashed.
const secret = "a secret of the tests"

// newSecretWorld is newWorld with a suppression secret.
func newSecretWorld(t *testing.T, definitions ...bucket.Definition) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t), registry: registrytest.Build(t, definitions...), clock: newClock(epoch)}
	w.Engine = w.start(engine.Config{NoClock: true, NoDelivery: true, SuppressionSecret: secret}, nil)
	return w
}

func (w *world) suppress(id string) {
	w.t.Helper()
	if _, err := w.People().Erase(w.t.Context(), id, engine.EraseOptions{Suppress: true}); err != nil {
		w.t.Fatalf("erase and suppress %q: %v", id, err)
	}
}

// TestErasedUserComesBack erases users without suppressing them: who comes back starts afresh, and
// no key of a transition is used twice (B1).
func TestErasedUserComesBack(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	for life, want := range []string{"bucket:pro:u1:entered:1", "bucket:pro:u1:entered:1:life-2", "bucket:pro:u1:entered:1:life-3"} {
		result, err := w.Ingest(t.Context(), engine.Event{UserID: "u1", Traits: map[string]any{"plan": "pro"}, Key: "k"})
		must(t, err)
		equal(t, "transitions", brief(result.Transitions), []string{"entered pro 1"})
		equal(t, "key of the result", result.Transitions[0].Key(), want)
		logged, _, err := w.HistoryPage(t.Context(), "u1", engine.Page{})
		must(t, err)
		equal(t, "key of the log", logged[0].Key(), want)
		equal(t, "left", w.identify("u1", map[string]any{"plan": "free"}), []string{"left pro 1 by criteria"})
		if life < 2 {
			w.erase("u1")
		}
	}
}

// TestErasedUserComesBackAsVisitor erases a user. A visitor becomes the user of that id: no key of
// theirs was used before.
func TestErasedUserComesBackAsVisitor(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	plan := map[string]any{"plan": "pro"}
	equal(t, "first", w.identify("u1", plan), []string{"entered pro 1"})
	w.erase("u1")
	w.ingest(engine.Event{AnonymousID: "laptop", Name: "visit"})
	result, err := w.Ingest(t.Context(), engine.Event{UserID: "u1", AnonymousID: "laptop", Traits: plan})
	must(t, err)
	equal(t, "key", result.Transitions[0].Key(), "bucket:pro:u1:entered:1:life-2")
}

// TestSuppressed erases a user, one who was merged into them, and one who is unknown, and refuses
// their ids. All other users are as before.
func TestSuppressed(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro, testers)
	ctx := t.Context()
	w.identify("u1", map[string]any{"plan": "pro"})
	w.identify("u0", map[string]any{"plan": "pro"})
	_, err := w.Merge(ctx, "u0", "u1")
	must(t, err)
	w.identify("u2", map[string]any{"plan": "free"})
	w.suppress("u0")
	w.suppress("never")
	for _, user := range []string{"u0", "u1", "never"} {
		results, err := w.IngestBatch(ctx, []engine.Event{{UserID: user, Name: "visit"}, {UserID: "u2", Name: "visit"}, {UserID: user, Name: "visit"}})
		must(t, err)
		equal(t, "suppressed", []bool{results[0].Suppressed, results[1].Suppressed, results[2].Suppressed}, []bool{true, false, true})
		tx, err := w.pool.Begin(ctx)
		must(t, err)
		result, err := w.IngestTx(ctx, tx, engine.Event{UserID: user, Name: "visit"})
		must(t, err)
		must(t, tx.Commit(ctx))
		equal(t, "suppressed in a transaction", result[0].Suppressed, true)
		if _, err := w.Add(ctx, w.manual("testers"), user); !errors.Is(err, engine.ErrSuppressed) {
			t.Errorf("add: got %v", err)
		}
		if _, err := w.Merge(ctx, "u2", user); !errors.Is(err, engine.ErrSuppressed) {
			t.Errorf("merge: got %v", err)
		}
	}
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts where user_id <> 'u2'"), 0)
	equal(t, "events", w.count("select count(*) from bucketgen.events"), 4)
	stop(t, w.Engine)
	equal(t, "counted", w.count("select events from bucketgen.suppressed_events where day = '2026-01-01'"), 9)
}

// TestIDsOfSuppressed refuses the ids of a user who was erased, and ignores the lower ones of them
// in an event of another user (B2).
func TestIDsOfSuppressed(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	w.ingest(engine.Event{UserID: "u1", AnonymousID: "a", Name: "visit"})
	w.suppress("u1")
	for _, test := range []struct {
		event      engine.Event
		suppressed bool
	}{{engine.Event{UserID: "u1"}, true}, {engine.Event{AnonymousID: "a"}, true}, {engine.Event{UserID: "u2", AnonymousID: "a"}, false}} {
		test.event.Name = "visit"
		result, err := w.Ingest(t.Context(), test.event)
		must(t, err)
		equal(t, "suppressed", result.Suppressed, test.suppressed)
	}
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 1)
	equal(t, "ids", w.count("select count(*) from bucketgen.identities"), 0)
	equal(t, "events of the other user", w.count("select count(*) from bucketgen.events"), 1)
}

// TestSuppressionSecret starts engines without the secret of the database, or with another one.
func TestSuppressionSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	if _, err := w.People().Erase(t.Context(), "u1", engine.EraseOptions{Suppress: true}); !errors.Is(err, engine.ErrNoSecret) {
		t.Errorf("without a secret: got %v", err)
	}
	stop(t, w.start(engine.Config{NoClock: true, NoDelivery: true, SuppressionSecret: secret}, nil))
	for want, other := range map[string]string{
		"which this process cannot recognize": "", "is not the secret by which": "another secret of the tests", "has 5 bytes; give 16 or more": "short",
	} {
		e, err := engine.New(w.pool, w.registry, engine.Config{SuppressionSecret: other})
		if err == nil {
			err = e.Start(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestSuppressions refuses an id by hand, and lets it in again.
func TestSuppressions(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	ctx := t.Context()
	known := func() engine.Suppression {
		s, err := w.People().Suppression(ctx, "", "u1")
		must(t, err)
		return s
	}
	send := func() bool {
		result, err := w.Ingest(ctx, engine.Event{UserID: "u1", Name: "visit"})
		must(t, err)
		return result.Suppressed
	}
	equal(t, "before", known().Suppressed, false)
	must(t, w.People().SetSuppression(ctx, "", "u1", true))
	equal(t, "refused", []bool{known().Suppressed, send()}, []bool{true, true})
	must(t, w.People().SetSuppression(ctx, "", "u1", false))
	equal(t, "let in", []bool{known().Suppressed, send()}, []bool{false, false})
	if err := w.People().SetSuppression(ctx, "", "u1", true); err == nil || !strings.Contains(err.Error(), "id: is that of a user") {
		t.Errorf("suppress a user: got %v", err)
	}
}

// TestRestoredBackup erases users, restores a copy of the database from before that, and imports
// the suppressions: they are erased again, and who came back since is not (B7).
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	w := newSecretWorld(t, pro)
	for _, user := range []string{"suppressed", "erased", "back", "ada"} {
		w.identify(user, map[string]any{"plan": "pro"})
	}
	before := w.clock.Now()
	w.clock.Advance(time.Hour)
	w.suppress("suppressed")
	w.erase("erased")
	w.erase("back")
	w.clock.Advance(time.Hour)
	w.identify("back", map[string]any{"plan": "pro"})
	var exported []engine.Suppression
	for s, err := range w.People().Suppressions(t.Context()) {
		must(t, err)
		exported = append(exported, s)
	}
	equal(t, "exported", len(exported), 4)
	each := func(yield func(engine.Suppression, error) bool) {
		for _, s := range exported {
			if !yield(s, nil) {
				return
			}
		}
	}
	n, err := w.People().ImportSuppressions(t.Context(), each)
	must(t, err)
	equal(t, "erased where nothing is old", n, 0)

	old := newSecretWorld(t, pro) // a backup of the time before
	for _, user := range []string{"suppressed", "erased", "back", "ada"} {
		old.identify(user, map[string]any{"plan": "pro"})
	}
	equal(t, "time of the backup", old.clock.Now(), before)
	old.clock.Advance(3 * time.Hour)
	n, err = old.People().ImportSuppressions(t.Context(), each)
	must(t, err)
	equal(t, "erased", n, 3)
	equal(t, "contacts", old.count("select count(*) from bucketgen.contacts where user_id <> 'ada'"), 0)
	result, err := old.Ingest(t.Context(), engine.Event{UserID: "suppressed", Name: "visit"})
	must(t, err)
	equal(t, "suppressed", result.Suppressed, true)
	exported[0].Kind, exported[0].Hash = "", strings.Repeat("ab", 32)
	if _, err = old.People().ImportSuppressions(t.Context(), each); err == nil || !strings.Contains(err.Error(), "is not the secret") {
		t.Errorf("of another secret: got %v", err)
	}
}

// TestErasedElsewhere erases a user, and one who was merged into them, while another engine
// remembers the merge: what comes by the name from before the merge is another user's, whether the
// survivor came back or not.
func TestErasedElsewhere(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]bool{"gone": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pro, testers)
			other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
			w.track("former", "visit")
			w.track("ada", "visit")
			_, err := w.Merge(t.Context(), "former", "ada")
			must(t, err)
			remembers := func() {
				_, err := other.Ingest(t.Context(), engine.Event{UserID: "former", Name: "visit"})
				must(t, err)
			}
			remembers()
			w.erase("ada")
			if back {
				w.track("ada", "visit")
			}
			result, err := other.Ingest(t.Context(), engine.Event{UserID: "former", Traits: map[string]any{"plan": "pro"}})
			must(t, err)
			equal(t, "transitions", len(result.Transitions), 1)
			equal(t, "user", result.Transitions[0].UserID, "former")
			equal(t, "members", slices.Sorted(w.members("pro")), []string{"former"})

			_, err = w.Merge(t.Context(), "former", "eve")
			must(t, err)
			remembers()
			w.erase("eve")
			tx, err := w.pool.Begin(t.Context())
			must(t, err)
			_, err = other.IngestTx(t.Context(), tx, engine.Event{UserID: "former", Traits: map[string]any{"plan": "pro"}})
			must(t, err)
			must(t, tx.Commit(t.Context()))
			equal(t, "members, in a transaction", slices.Sorted(w.members("pro")), []string{"former"})
			equal(t, "contacts of who was erased", w.count("select count(*) from bucketgen.contacts where user_id = 'eve'"), 0)

			_, err = w.Merge(t.Context(), "former", "bob")
			must(t, err)
			remembers()
			w.erase("bob")
			_, err = other.Add(t.Context(), w.manual("testers"), "former")
			must(t, err)
			equal(t, "testers", slices.Sorted(w.members("testers")), []string{"former"})
			_, err = other.Merge(t.Context(), "former", "cy")
			must(t, err)
			equal(t, "testers", slices.Sorted(w.members("testers")), []string{"cy"})
		})
	}
}
