package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestResentAfterSignIn sends an event again, with the same key, once the visitor is a user: it is
// one event (A11 of people).
func TestResentAfterSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	for i, ev := range []engine.Event{
		{AnonymousID: "phone", Name: "visit", Key: "m"},
		{UserID: "ada", AnonymousID: "phone", Name: "visit", Key: "m"},
		{AnonymousID: "phone", Name: "visit", Key: "m"},
	} {
		result, err := w.Ingest(t.Context(), ev)
		if err != nil || result.Duplicate != (i > 0) {
			t.Errorf("event %d is a duplicate: %t, %v", i, result.Duplicate, err)
		}
	}
	if n := w.count("select count(*) from bucketgen.events"); n != 1 {
		t.Errorf("the log has %d events, want 1", n)
	}
}

// TestAnyID finds a user by each of their ids, lists the ids, and takes one away.
func TestAnyID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	send := func(ev engine.Event) {
		t.Helper()
		if _, err := w.Ingest(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	phone, email := engine.By(engine.KindAnonymous, "phone"), engine.By(engine.KindEmail, " ADA@example.org ")
	send(engine.Event{UserID: "ada", AnonymousID: "phone", Email: "Ada@Example.org", Traits: map[string]any{"plan": "pro"}})
	ids := func(name string) []engine.ID {
		t.Helper()
		all, err := w.People().IDs(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	at := w.clock.Now().UTC()
	want := []engine.ID{
		{Kind: "user", Value: "ada", Primary: true}, {Kind: "anonymous", Value: "phone", AddedAt: at}, {Kind: "email", Value: "ada@example.org", AddedAt: at},
	}
	for _, name := range []string{"ada", phone, email} {
		if !w.has("pro", name) {
			t.Errorf("%q is not pro", name)
		}
		if diff := cmp.Diff(want, ids(name)); diff != "" {
			t.Errorf("ids of %q: %s", name, diff)
		}
	}
	if err := w.People().Unlink(t.Context(), engine.KindAnonymous, "phone"); err != nil {
		t.Fatal(err)
	}
	send(engine.Event{AnonymousID: "phone", Name: "visit"})
	send(engine.Event{UserID: "ada", AnonymousID: "phone", Name: "visit"})
	if w.has("pro", phone) {
		t.Error("an id that was unlinked leads to its former user")
	}
	want[1].Shared = true
	if diff := cmp.Diff(want, ids("ada")); diff != "" {
		t.Errorf("ids after Unlink: %s", diff)
	}
	var invalid *engine.InvalidError
	if err := w.People().Unlink(t.Context(), "user", "ada"); !errors.As(err, &invalid) {
		t.Errorf("unlinking the name gave %v", err)
	}
	if err := w.People().Unlink(t.Context(), engine.KindEmail, "x@example.org"); !errors.Is(err, engine.ErrUnknownUser) {
		t.Errorf("unlinking an unknown id gave %v", err)
	}
}

// TestIDsInTransaction takes events in within a transaction of the caller: an id is attached there,
// and one that would merge contacts gives ErrNeedsMerge and leaves the transaction as it was.
func TestIDsInTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	if _, err := w.Ingest(t.Context(), engine.Event{AnonymousID: "laptop", Name: "visit"}); err != nil {
		t.Fatal(err)
	}
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", AnonymousID: "laptop", Name: "visit"}); !errors.Is(err, engine.ErrNeedsMerge) {
		t.Errorf("a sign-up in a transaction gave %v", err)
	}
	if _, err := w.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", AnonymousID: "phone", Name: "visit"}); err != nil {
		t.Errorf("a new id in a transaction gave %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ids, err := w.People().IDs(t.Context(), engine.By(engine.KindAnonymous, "phone")); err != nil || ids[0].Value != "ada" {
		t.Errorf("phone leads to %v, %v", ids, err)
	}
}

// TestStopWhileIDsAreResolved stops an engine that waits for the table of ids, for no longer than
// the caller of Stop does: the event is refused, and Stop returns.
func TestStopWhileIDsAreResolved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	e := w.start(engine.Config{NoClock: true}, nil)
	tx, err := w.pool.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), "lock table bucketgen.identities in access exclusive mode")
	must(t, err)
	errs := make(chan error, 3)
	for i := range cap(errs) {
		go func() {
			_, err := e.Ingest(context.WithoutCancel(t.Context()), engine.Event{UserID: "u" + itoa(i), AnonymousID: "a" + itoa(i), Name: "visit"})
			errs <- err
		}()
	}
	eventually(t, func() bool {
		return w.count("select count(*) from pg_locks where relation = 'bucketgen.identities'::regclass and not granted") > 0
	})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Stop(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: got %v, want context.Canceled", err)
	}
	for range cap(errs) {
		if err := <-errs; err == nil {
			t.Error("an event was acknowledged")
		}
	}
}

// logged is what a log wrote.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestRefusedIDsAreLoggedOnce lets each of many events ask for a visitor to become a user who is
// deleted. Each sender gets a warning, and the log one line.
func TestRefusedIDsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	var log logged
	e := w.start(engine.Config{NoClock: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil)
	w.identify("ada", map[string]any{"plan": "free"})
	must(t, e.Delete(t.Context(), "ada"))
	for i := range 20 {
		visitor := "a" + itoa(i)
		_, err := e.Ingest(t.Context(), engine.Event{AnonymousID: visitor, Name: "visit"})
		must(t, err)
		result, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", AnonymousID: visitor, Name: "visit"})
		if err != nil || len(result.Warnings) != 1 || result.Warnings[0].Code != bucketgen.WarningIDTaken {
			t.Fatalf("got %+v, %v, want a warning", result, err)
		}
	}
	if n := strings.Count(log.String(), "an id stays where it is"); n != 1 {
		t.Errorf("the log has %d lines about ids, want 1", n)
	}
}

// TestForcedAlias gives an id that users share to one of them: that takes force, and then what came
// by the id since it was shared is the user's. The id may become shared once more.
func TestForcedAlias(t *testing.T) {
	t.Parallel()
	visitors := bucket.Define(bucket.Spec{ID: "visitors", Anonymous: bucket.Include, Criteria: visit.AtLeast(2)})
	w := newWorld(t, visitors)
	tv := engine.By(engine.KindAnonymous, "tv")
	const visits = `select count(*) from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id
		where c.user_id = 'cy' and e.event_no = (select no from bucketgen.event_names where name = 'visit')`
	share := func() {
		for _, user := range []string{"ada", "bob"} {
			w.send(engine.Event{UserID: user, AnonymousID: "tv"})
		}
	}
	share()
	w.send(engine.Event{AnonymousID: "tv"})
	w.send(engine.Event{AnonymousID: "tv"})
	alias := func(o engine.AliasOptions) error { return w.Users().Alias(t.Context(), "tv", "cy", o) }
	if err := alias(engine.AliasOptions{Trusted: true}); !errors.Is(err, engine.ErrShared) {
		t.Errorf("without force: got %v, want ErrShared", err)
	}
	must(t, alias(engine.AliasOptions{Force: true})) // the sender is not trusted, so the id is ignored
	equal(t, "tv of an untrusted sender", w.has("visitors", "cy"), false)
	for range 2 {
		must(t, alias(engine.AliasOptions{Trusted: true, Force: true}))
		equal(t, "tv by force", w.ownerOf(engine.KindAnonymous, "tv"), "cy")
		equal(t, "what came by it", w.has("visitors", "cy") && w.has("visitors", tv), true)
	}
	w.send(engine.Event{AnonymousID: "tv"})
	equal(t, "visits of the user", w.count(visits), 3)
	share()
	equal(t, "shared once more", w.has("visitors", tv), false)
	w.send(engine.Event{AnonymousID: "tv"})
	equal(t, "visits of the user", w.count(visits), 3)
	w.erase("cy")
	equal(t, "contacts of the erased user", w.count("select count(*) from bucketgen.contacts where user_id ~ 'tv.'"), 0)
}

// TestOrderOfAUser takes in a call in which an event of a user comes by an anonymous id alone,
// before a repetition of it by the user id: the first of them counts.
func TestOrderOfAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.ingest(engine.Event{UserID: "ada", Name: "visit", AnonymousID: "laptop"})
	results, err := w.IngestBatch(t.Context(), []engine.Event{
		{UserID: "ada", Name: "visit"},
		{AnonymousID: "laptop", Name: "visit", Key: "k"},
		{UserID: "ada", Name: "purchase", Key: "k"},
	})
	must(t, err)
	equal(t, "duplicates", []bool{results[0].Duplicate, results[1].Duplicate, results[2].Duplicate}, []bool{false, false, true})
}

// TestOrderBetweenUsers takes in a call in which two users are on one device, after an event of the
// second: the first of them on the device has it, and then they share it.
func TestOrderBetweenUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	_, err := w.IngestBatch(t.Context(), []engine.Event{
		{UserID: "bob", Name: "visit"},
		{UserID: "ada", Name: "visit", AnonymousID: "tablet"},
		{UserID: "bob", Name: "visit", AnonymousID: "tablet"},
	})
	must(t, err)
	equal(t, "ids of ada", w.count("select count(*) from bucketgen.identities i join bucketgen.contacts c on c.id = i.contact_id where c.user_id = 'ada' and i.shared"), 1)
}
