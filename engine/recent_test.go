package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// recently writes the latest events of an engine as "ada purchase", the newest first.
func recently(e *engine.Engine, q engine.RecentQuery) string {
	var all []string
	for _, ev := range e.Inspect().RecentEvents(q).Events {
		all = append(all, strings.TrimSpace(ev.UserID+" "+ev.Name))
	}
	return strings.Join(all, ", ")
}

// TestRecentEvents keeps what was stored: no duplicate, and no event that was refused.
func TestRecentEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.ingest(engine.Event{UserID: "ada", Name: "visit", Properties: map[string]any{"page": "home"}, Traits: map[string]any{"plan": "pro"}})
	for range 2 {
		w.ingest(engine.Event{UserID: "bob", Name: "purchase", Key: "once", OccurredAt: epoch.Add(-time.Hour)})
	}
	var invalid *engine.InvalidError
	if _, err := w.Ingest(t.Context(), engine.Event{UserID: "ada", Traits: tooMany()}); !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	tx, err := w.pool.Begin(t.Context())
	must(t, err)
	_, err = w.IngestTx(t.Context(), tx, engine.Event{UserID: "cy", Name: "visit"})
	must(t, err)
	must(t, tx.Commit(t.Context()))
	equal(t, "all", recently(w.Engine, engine.RecentQuery{}), "cy visit, bob purchase, ada visit")
	equal(t, "visits", recently(w.Engine, engine.RecentQuery{Name: "visit"}), "cy visit, ada visit")
	equal(t, "of bob", recently(w.Engine, engine.RecentQuery{UserID: "bob"}), "bob purchase")
	all := w.Inspect().RecentEvents(engine.RecentQuery{}).Events
	equal(t, "times", []time.Time{all[1].OccurredAt, all[1].ReceivedAt}, []time.Time{epoch.Add(-time.Hour), epoch})
	equal(t, "payload and traits", string(all[2].Properties)+string(all[2].Traits), `{"page":"home"}{"plan":"pro"}`)

	none := w.start(engine.Config{NoClock: true, NoDelivery: true, RecentBytes: -1}, nil)
	_, err = none.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit"})
	must(t, err)
	equal(t, "where none are kept", recently(none, engine.RecentQuery{}), "")
}

// tooMany are more traits than a user may have.
func tooMany() map[string]any {
	all := map[string]any{}
	for i := range 1001 {
		all[fmt.Sprintf("trait %d", i)] = i
	}
	return all
}

// TestNames lists names of events and properties with the hours in which they arrived and the
// buckets that ask about them, by what they are, and in pages.
func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, drifting, proBuyers, pro)
	send := func(times int, ev engine.Event) {
		for range times {
			w.ingest(ev)
		}
	}
	send(3, engine.Event{UserID: "ada", Name: "purchase", Traits: map[string]any{"plan": "free"}})
	_, err := w.Catalog(t.Context()) // which flushes
	must(t, err)
	w.clock.Advance(90 * time.Minute)
	send(2, engine.Event{UserID: "ada", Name: "purchase"})
	send(1, engine.Event{UserID: "ada", Name: "signed_up"})
	no, yes := false, true
	names := func(q engine.NameQuery) string {
		t.Helper()
		page, err := w.Inspect().Names(t.Context(), q)
		must(t, err)
		var all []string
		for _, n := range page.Names {
			text := n.Event + n.Name + fmt.Sprintf(" x%d", n.Count)
			for _, h := range n.Hours {
				text += fmt.Sprintf(" %s:%d", h.At.Format("15h"), h.Count)
			}
			for _, near := range n.Near {
				text += " near " + near.Event
			}
			all = append(all, text)
		}
		return strings.Join(all, ", ")
	}
	equal(t, "events", names(engine.NameQuery{}), "purchase x5 00h:3 01h:2, signed up x0 near signed_up, signed_up x1 01h:1 near signed up")
	equal(t, "undeclared", names(engine.NameQuery{Declared: &no}), "signed_up x1 01h:1 near signed up")
	equal(t, "declared, never seen", names(engine.NameQuery{Declared: &yes, Seen: &no}), "signed up x0 near signed_up")
	equal(t, "by a part", names(engine.NameQuery{Text: "PURCH"}), "purchase x5 00h:3 01h:2")
	equal(t, "properties", names(engine.NameQuery{Properties: true, Seen: &yes}), "plan x3 00h:3")
	first, err := w.Inspect().Names(t.Context(), engine.NameQuery{Size: 2})
	must(t, err)
	equal(t, "page", []any{len(first.Names), first.Total, first.Next}, []any{2, 3, "signed up"})
	equal(t, "next page", names(engine.NameQuery{After: first.Next}), "signed_up x1 01h:1 near signed up")
	equal(t, "used by", first.Names[0].UsedBy, []string{"drifting", "pro-buyers"})
	equal(t, "uses", first.Names[0].Uses, 2)
	equal(t, "last", first.Names[0].Last, epoch.Add(90*time.Minute))

	w.clock.Advance(23 * time.Hour)
	equal(t, "a day later", names(engine.NameQuery{Text: "purch"}), "purchase x5 01h:2")
	late := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil) // which has not trimmed yet
	w.clock.Advance(26 * time.Hour)
	_, err = late.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit"})
	must(t, err)
	_, err = late.Catalog(t.Context())
	must(t, err)
	equal(t, "hours that are kept", w.count("select count(*) from bucketgen.catalog_hours"), 1)
}

// TestLive counts transitions as they are committed, those of another engine among them, by second
// and bucket.
func TestLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars)
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	before, err := w.Inspect().Live(t.Context(), nil)
	must(t, err)
	equal(t, "before", len(before.Seconds)+len(before.Buckets), 0)
	for i, e := range []*engine.Engine{w.Engine, other, w.Engine} {
		for _, plan := range []string{"pro", "free"} {
			_, err := e.Ingest(t.Context(), engine.Event{UserID: fmt.Sprint("u", i), Name: "visit", Traits: map[string]any{"plan": plan}})
			must(t, err)
		}
	}
	var live engine.Live
	eventually(t, func() bool {
		live, err = w.Inspect().Live(t.Context(), nil)
		return err == nil && len(live.Buckets) == 2 && live.Buckets[0].Sum() == 6 && live.Buckets[1].Sum() == 3
	})
	equal(t, "pro", []any{live.Buckets[0].BucketID, live.Buckets[0].Entered, live.Buckets[0].Left}, []any{"pro", int64(3), int64(3)})
	sum := int64(0)
	for _, s := range live.Seconds {
		sum += s.Sum()
	}
	equal(t, "in all seconds", sum, int64(9))
	if live.Since.Before(before.Since) || live.AsOf.Before(live.Since) {
		t.Errorf("it is of %s to %s, and was of %s", live.Since, live.AsOf, before.Since)
	}
	one, err := w.Inspect().Live(t.Context(), w.ref("regulars"))
	must(t, err)
	equal(t, "of one bucket", []any{len(one.Buckets), one.Buckets[0].Entered}, []any{1, int64(3)})
	if _, err := w.Inspect().Live(t.Context(), newWorld(t, testers).ref("testers")); !errors.Is(err, engine.ErrUnknownBucket) {
		t.Errorf("an unknown bucket: got %v", err)
	}
}
