package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// withVisitors includes visitors.
var withVisitors = bucket.Define(bucket.Spec{ID: "recent", Anonymous: bucket.Include, Criteria: visit.Within(bucket.Hour).AtLeast(1)})

// withNotices subscribes to all that happens, and to notices.
func withNotices(name string) []engine.Subscription {
	all := everything(name)
	all[0].Kinds = append(all[0].Kinds, engine.Merged, engine.Erased)
	return all
}

// noticeText writes a notice as "phone (anonymous) -> ada" or "erased [ada]".
func noticeText(n *engine.Notice) string {
	if n.From != nil {
		return fmt.Sprint(n.From, " -> ", n.Into)
	}
	return fmt.Sprint("erased ", n.IDs)
}

// items returns what a feed delivers until an item with a text, without users.
func (a *ear) until(last string) []string {
	a.t.Helper()
	var all []string
	for len(all) == 0 || all[len(all)-1] != last {
		switch item := a.item(); {
		case item.Notice != nil:
			all = append(all, noticeText(item.Notice))
		case item.Transition != nil:
			all = append(all, brief([]engine.Transition{*item.Transition})[0])
		}
	}
	return all
}

// TestNoticesOfMerges has a visitor sign up, sign in on a second device, and merged with another
// user: each is a notice in the feed, at its place among transitions, and a delivery to a forwarder
// that asks for them. Others get transitions only.
func TestNoticesOfMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withVisitors)
	all, plain := &target{}, &target{}
	on := func(e *engine.Engine) {
		all.on(t, engine.Forwarder{Name: "all", Subscriptions: withNotices("all")})(e)
		plain.on(t, engine.Forwarder{Name: "plain", Subscriptions: everything("plain")})(e)
	}
	w.keep(on)
	heard, deaf := hear(t, w.Engine, engine.FeedOptions{Notices: true}), hear(t, w.Engine, engine.FeedOptions{})
	w.ingest(engine.Event{AnonymousID: "phone", Name: "visit"})
	w.ingest(engine.Event{UserID: "ada", AnonymousID: "phone", Name: "login"})
	w.ingest(engine.Event{AnonymousID: "laptop", Name: "visit"})
	w.ingest(engine.Event{UserID: "ada", AnonymousID: "laptop", Name: "login"})
	w.track("bob", "visit")
	if _, err := w.Merge(t.Context(), "bob", "ada"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Hour)
	w.settle()
	want := []string{
		"entered recent 1", "phone (anonymous) -> ada", "entered recent 1", "laptop (anonymous) -> ada", "entered recent 1", "bob -> ada",
		"left recent 1 by criteria",
	}
	equal(t, "heard", heard.until("left recent 1 by criteria"), want)
	isNotice := func(line string) bool { return strings.Contains(line, "->") }
	transitions := slices.DeleteFunc(slices.Clone(want), isNotice)
	equal(t, "heard without notices", deaf.until("left recent 1 by criteria"), transitions)
	later := hear(t, w.start(engine.Config{NoClock: true, NoDelivery: true}, nil), engine.FeedOptions{
		After: heard.begun, Notices: true, Buckets: []registry.BucketRef{w.ref("recent")},
	})
	equal(t, "read later from the database", later.until("left recent 1 by criteria"), want)

	w.start(fast, on)
	var notices []string
	for _, d := range all.has(t, len(want)) {
		if d.Notice == nil {
			continue
		}
		notices = append(notices, noticeText(d.Notice))
		if d.Transition.Event() != "person:merged" || !strings.HasPrefix(d.Transition.Key(), "person:merged:") || !d.Notice.At.Equal(epoch) {
			t.Errorf("got %+v of %v", d.Transition, d.Notice)
		}
	}
	slices.Sort(notices)
	equal(t, "notices", notices, []string{"bob -> ada", "laptop (anonymous) -> ada", "phone (anonymous) -> ada"})
	plain.has(t, len(transitions))
	eventually(t, w.outboxEmpty)
}

// TestEnteredAs has a stay that began under an anonymous id: what happens in it later says so, and
// a delivery that is tried again after the sign-up keeps its key.
func TestEnteredAs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withVisitors)
	g := &target{answer: func(batch []engine.Delivery) ([]error, error) {
		return slices.Repeat([]error{errors.New("not now")}, len(batch)), nil
	}}
	w.start(fast, g.on(t, engine.Forwarder{Name: "out", Subscriptions: everything("all")}))
	w.ingest(engine.Event{AnonymousID: "phone", Name: "visit"})
	eventually(t, func() bool { return g.calls() == 1 })
	g.mu.Lock()
	before := g.batches[0][0].Transition
	g.mu.Unlock()
	if want := fmt.Sprintf("bucket-of:anonymous:recent:%d:entered", before.MembershipID); before.Key() != want || before.EnteredAs != nil {
		t.Errorf("got the key %s and %v, want %s", before.Key(), before.EnteredAs, want)
	}
	g.answers(nil)
	w.ingest(engine.Event{UserID: "ada", AnonymousID: "phone", Name: "login"})
	x, err := w.Explain(t.Context(), w.ref("recent"), "ada")
	must(t, err)
	if text := x.String(); !strings.Contains(text, "by an event or trait of the user, as anonymous:phone.") {
		t.Errorf("the explanation does not say by which id the stay began:\n%s", text)
	}
	w.clock.Advance(2 * time.Hour)
	w.settle()
	taken := g.has(t, 2)
	phone := &engine.ID{Kind: engine.KindAnonymous, Value: "phone"}
	for _, d := range taken {
		equal(t, "enteredAs", d.Transition.EnteredAs, phone)
		equal(t, "user", d.Transition.UserID, "ada")
	}
	equal(t, "key of the delivery that was tried again", taken[0].Transition.Key(), before.Key())
	_, err = w.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit", Key: before.Key()})
	if invalid, ok := errors.AsType[*engine.InvalidError](err); !ok || invalid.Field != "key" {
		t.Errorf("an event with the key of a transition gave %v", err)
	}
	equal(t, "key of the leave", taken[1].Transition.Key(), "bucket:recent:ada:left:1")
}

// TestNoticeOfErasure has a forwarder that asks for erasures: it gets the ids of the person, which
// are in no table once it has taken them, or after 30 days.
func TestNoticeOfErasure(t *testing.T) {
	t.Parallel()
	const text = "lovelace"
	w := newWorld(t, withVisitors)
	g := &target{}
	on := g.on(t, engine.Forwarder{Name: "out", Subscriptions: withNotices("all")})
	w.keep(on)
	live := func() {
		w.ingest(engine.Event{UserID: "ada-" + text, AnonymousID: "phone-" + text, Email: text + "@example.com", Name: "visit"})
		w.erase("ada-" + text)
	}
	live()
	equal(t, "traces before it is taken", w.traces(text), []string{"hidings.user_id", "transitions.notice"})
	stop(t, w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)) // deletes what was delivered
	sender := w.start(fast, on)
	taken := g.has(t, 1)
	equal(t, "notice", noticeText(taken[0].Notice), "erased [phone-lovelace (anonymous) lovelace@example.com (email) ada-lovelace]")
	equal(t, "key", taken[0].Transition.Key(), "person:erased:1")
	eventually(t, w.outboxEmpty)
	stop(t, sender)
	forgotten := func() bool { return w.count("select count(*) from bucketgen.transitions") == 0 }
	forget := func() {
		e := w.start(engine.Config{NoDelivery: true}, nil)
		eventually(t, forgotten)
		stop(t, e)
	}
	forget()
	equal(t, "traces once it was taken", w.traces(text), []string{"hidings.user_id"})
	live()
	w.clock.Advance(31 * 24 * time.Hour)
	forget()
	equal(t, "deliveries of a notice that is too old", w.outboxEmpty(), true)
}
