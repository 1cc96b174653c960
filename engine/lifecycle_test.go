package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

func TestManualBucket(t *testing.T) {
	t.Parallel()
	paused := bucket.Define(bucket.Spec{ID: "paused", Kind: bucket.Manual, Disabled: true})
	w := newWorld(t, testers, pro, paused)
	add := func(user string) []string {
		t.Helper()
		made, err := w.Add(t.Context(), w.manual("testers"), user)
		if err != nil {
			t.Fatal(err)
		}
		return brief(made)
	}
	equal(t, "add", add("ada"), []string{"entered testers 1"})
	equal(t, "add again", add("ada"), []string{})
	made, err := w.Remove(t.Context(), w.manual("testers"), "ada")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "remove", brief(made), []string{"left testers 1 by manual"})
	equal(t, "add once more", add("ada"), []string{"entered testers 2"})
	w.clock.Advance(bucket.Week)
	w.settle()
	equal(t, "maximal dwell", w.history("ada")[3:], []string{"left testers 2 by maxDwell"})
	if made, err := w.Remove(t.Context(), w.manual("testers"), "unknown"); err != nil || len(made) != 0 {
		t.Errorf("remove a user who is unknown: got %v, %v", made, err)
	}
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 1)
	if _, err := w.Add(t.Context(), w.manual("pro"), "ada"); err == nil || !strings.Contains(err.Error(), "the bucket has criteria") {
		t.Errorf("add to a dynamic bucket: got %v", err)
	}
	if _, err := w.Add(t.Context(), w.manual("paused"), "ada"); !errors.Is(err, engine.ErrPaused) {
		t.Errorf("add to a paused bucket: got %v", err)
	}
	if _, err := w.Remove(t.Context(), w.manual("paused"), "ada"); !errors.Is(err, engine.ErrPaused) {
		t.Errorf("remove from a paused bucket: got %v", err)
	}
	if _, err := w.Add(t.Context(), registry.NewManualRef("other", 7), "ada"); !errors.Is(err, engine.ErrUnknownBucket) {
		t.Errorf("add to a bucket of another registry: got %v", err)
	}
}

func TestDeletedUserIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, testers)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.track("ada", "visit")
	w.track("ada", "visit")
	w.clock.Advance(time.Minute)
	for range 2 {
		if err := w.Delete(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "event of a deleted user", w.ingest(engine.Event{UserID: "ada", Name: "visit", Traits: map[string]any{"plan": "free"}}), []string{})
	equal(t, "has", w.has("pro", "ada"), false)
	n, err := w.Count(t.Context(), w.ref("pro"))
	if err != nil || n != 0 {
		t.Errorf("count: got %d, %v", n, err)
	}
	equal(t, "history", len(w.history("ada")), 0)
	equal(t, "stored events", w.count("select count(*) from bucketgen.events"), 4)
	equal(t, "due", w.count("select count(*) from bucketgen.due"), 0)
	if _, err := w.Add(t.Context(), w.manual("testers"), "ada"); !errors.Is(err, engine.ErrDeleted) {
		t.Errorf("add: got %v", err)
	}
	w.clock.Advance(59*time.Minute + 30*time.Second)
	equal(t, "settled", w.settle(), 0)
	made, err := w.Restore(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	// One visit of the three is still in the window; the plan was not changed while the user was
	// deleted.
	equal(t, "restore", brief(made), []string{"left regulars 1 by criteria"})
	equal(t, "source", made[0].Source, engine.SourceReconcile)
	equal(t, "has again", w.has("pro", "ada"), true)
	equal(t, "visit", w.track("ada", "visit"), []string{"entered regulars 2"})
	if made, err := w.Restore(t.Context(), "ada"); err != nil || len(made) != 0 {
		t.Errorf("restore again: got %v, %v", made, err)
	}
}

func TestMembersComeByPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	var events []engine.Event
	const users = 2345
	for i := range users {
		events = append(events, engine.Event{UserID: "u" + itoa(i), Traits: map[string]any{"plan": "pro", "email": "u" + itoa(i) + "@example.com"}})
	}
	if _, err := w.IngestBatch(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for m, err := range w.Members(t.Context(), w.ref("pro")) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[m.UserID] || m.UserEmail != m.UserID+"@example.com" || m.EntryCount != 1 || !m.EnteredAt.Equal(epoch) || m.MembershipID == 0 {
			t.Fatalf("got %+v", m)
		}
		seen[m.UserID] = true
	}
	equal(t, "members", len(seen), users)
	page, after, err := w.MembersPage(t.Context(), w.ref("pro"), engine.Page{Size: 10})
	if err != nil || len(page) != 10 {
		t.Fatalf("page: got %d members, %v", len(page), err)
	}
	next, later, err := w.MembersPage(t.Context(), w.ref("pro"), engine.Page{After: after, Size: 10})
	if err != nil || later <= after || slices.ContainsFunc(page, func(m engine.Member) bool { return m.UserID == next[0].UserID }) {
		t.Errorf("next page: got %+v, %v", next, err)
	}
	n, err := w.Count(t.Context(), w.ref("pro"))
	if err != nil || n != users {
		t.Errorf("count: got %d, %v", n, err)
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := registrytest.Build(t, pro)
	e, err := engine.New(pool, r, engine.Config{Schema: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err == nil || !strings.Contains(err.Error(), `schema "elsewhere" has no tables of bucketgen; call migrate.Up`) {
		t.Errorf("got %v", err)
	}
}

// TestStartOnNewerTables starts a program that is about to be replaced again, after the tables were
// updated for the next one.
func TestStartOnNewerTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	if _, err := w.pool.Exec(t.Context(), "insert into bucketgen.migrations (version_id, is_applied) values (1000, true)"); err != nil {
		t.Fatal(err)
	}
	w.Engine = w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	equal(t, "what happens", w.identify("ada", map[string]any{"plan": "pro"}), []string{"entered pro 1"})
}

func TestConfigNamesTheField(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := registrytest.Build(t, pro)
	if _, err := engine.New(pool, r, engine.Config{MaxBatch: -1}); err == nil || !strings.Contains(err.Error(), "engine.Config.MaxBatch is -1") {
		t.Errorf("got %v", err)
	}
	if _, err := engine.New(pool, r, engine.Config{Schema: `ten"ant`}); err == nil || !strings.Contains(err.Error(), "engine.Config.Schema") {
		t.Errorf("got %v", err)
	}
	if _, err := engine.New(nil, r, engine.Config{}); err == nil {
		t.Error("no pool: got no error")
	}
	if _, err := engine.New(pool, nil, engine.Config{}); err == nil || !strings.Contains(err.Error(), "gen.Registry") {
		t.Errorf("no registry: got %v", err)
	}
}

// TestOtherSchema runs an engine on tables of another schema, beside those of the default one.
func TestOtherSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	for range 2 { // the second time there is nothing to do
		if _, err := migrate.Up(t.Context(), w.pool, migrate.Options{Schema: "tenant_7"}); err != nil {
			t.Fatal(err)
		}
	}
	tenant := w.start(engine.Config{Schema: "tenant_7", NoClock: true}, nil)
	if _, err := tenant.Ingest(t.Context(), engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro"}}); err != nil {
		t.Fatal(err)
	}
	has, err := tenant.Has(t.Context(), w.ref("pro"), "ada")
	if err != nil || !has {
		t.Errorf("in the tenant: got %t, %v", has, err)
	}
	equal(t, "in the default schema", w.has("pro", "ada"), false)
	equal(t, "events of the default schema", w.count("select count(*) from bucketgen.events"), 0)
}

func TestStopWritesWhatItTook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	e := w.start(engine.Config{NoClock: true}, nil)
	errs := make(chan error, 200)
	for i := range 200 {
		go func() {
			_, err := e.Ingest(context.WithoutCancel(t.Context()), engine.Event{UserID: "u" + itoa(i), Name: "visit"})
			errs <- err
		}()
	}
	var taken int
	for range 50 {
		if err := <-errs; err == nil {
			taken++
		}
	}
	stop(t, e)
	for range 150 {
		switch err := <-errs; {
		case err == nil:
			taken++
		case !errors.Is(err, engine.ErrStopped):
			t.Error(err)
		}
	}
	equal(t, "stored", w.count("select count(*) from bucketgen.events"), taken)
	if _, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit"}); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("after Stop: got %v", err)
	}
	if err := e.Start(t.Context()); err == nil {
		t.Error("started again: got no error")
	}
}

func TestNothingRunsBeforeStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, testers)
	e, err := engine.New(w.pool, w.registry, engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Ingest":   func() error { _, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit"}); return err },
		"Has":      func() error { _, err := e.Has(t.Context(), w.ref("pro"), "ada"); return err },
		"Count":    func() error { _, err := e.Count(t.Context(), w.ref("pro")); return err },
		"Add":      func() error { _, err := e.Add(t.Context(), w.manual("testers"), "ada"); return err },
		"Delete":   func() error { return e.Delete(t.Context(), "ada") },
		"RunDue":   func() error { _, err := e.Clock().RunDue(t.Context()); return err },
		"Restore":  func() error { _, err := e.Restore(t.Context(), "ada"); return err },
		"IngestTx": func() error { _, err := e.IngestTx(t.Context(), nil, engine.Event{}); return err },
		"EraseTx":  func() error { _, err := e.People().EraseTx(t.Context(), nil, "ada", engine.EraseOptions{}); return err },
		"Replay":   func() error { _, err := e.Outbox().Replay(t.Context()); return err },
	} {
		if err := call(); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("%s: got %v, want ErrStopped", name, err)
		}
	}
}
