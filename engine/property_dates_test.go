package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestOlderTraits sends values of a property in one order and the other, as traits and in payloads,
// through one engine and through others that remember nothing: it has the value with the newest
// date, and its history goes by dates.
func TestOlderTraits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro,
		bucket.Define(bucket.Spec{ID: "long-pro", Criteria: plan.HasBeen("pro", 30*bucket.Day)}),
		bucket.Define(bucket.Spec{ID: "upgraded", Criteria: plan.Changed().From("free").To("pro").Within(bucket.Week)}),
		bucket.Define(bucket.Spec{ID: "large", Criteria: seats.AtLeast(5)}),
	)
	w.clock.Advance(365 * 24 * time.Hour)
	other := w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	const day = 24 * time.Hour
	type write struct {
		plan any
		ago  time.Duration
	}
	for i, test := range []struct {
		name   string
		writes []write
		want   []string
	}{
		{"an older one", []write{{"pro", 0}, {"free", day}}, []string{"pro", "upgraded"}},
		{"both long ago", []write{{"free", 90 * day}, {"pro", 60 * day}}, []string{"pro", "long-pro"}},
		{"both long ago, the newer one first", []write{{"pro", 60 * day}, {"free", 90 * day}}, []string{"pro", "long-pro"}},
		{"dated 40 days ago", []write{{"pro", 40 * day}}, []string{"pro", "long-pro"}},
		{"sent again, and then an older one", []write{{"pro", 40 * day}, {"pro", 0}, {"free", day}}, []string{"pro", "upgraded"}},
		{"sent three times", []write{{"pro", 40 * day}, {"pro", 20 * day}, {"pro", 0}, {"free", day}}, []string{"pro", "upgraded"}},
		{"removed since", []write{{nil, 0}, {"pro", day}}, nil},
		{"began earlier than it seemed", []write{{"pro", 2 * day}, {"pro", 40 * day}, {"pro", 10 * day}}, []string{"pro", "long-pro"}},
	} {
		for _, how := range []string{"traits", "payload", "batch", "engines", "transaction"} {
			user := fmt.Sprint(how, i)
			var events []engine.Event
			for _, v := range test.writes {
				ev := engine.Event{UserID: user, OccurredAt: w.clock.Now().Add(-v.ago), Traits: map[string]any{"plan": v.plan}}
				if how == "payload" {
					ev.Name, ev.Properties, ev.Traits = "signed", ev.Traits, nil
				}
				events = append(events, ev)
			}
			switch how {
			case "batch":
				ingestAll(t, w.Engine, events)
			case "transaction":
				inTx(t, w, events)
			default:
				for k, ev := range events {
					e := w.Engine
					if how == "engines" && k%2 == 1 {
						e = other
					}
					ingestAll(t, e, []engine.Event{ev})
				}
			}
			var got []string
			for _, id := range []string{"pro", "long-pro", "upgraded"} {
				if w.has(id, user) {
					got = append(got, id)
				}
			}
			equal(t, test.name+", "+how, got, test.want)
		}
	}
}

func inTx(t *testing.T, w *world, events []engine.Event) {
	t.Helper()
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context()) // fails once the transaction is committed
	for _, ev := range events {
		if _, err := w.IngestTx(t.Context(), tx, ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestRepeatedTraits counts what a value costs that is sent again: its date is noted once an hour,
// and nothing else is written or asked. A late value asks for the dates of the property by the
// round trip that reads everything else.
func TestRepeatedTraits(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	count := &tally{}
	config.ConnConfig.Tracer = count
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c := newClock(epoch)
	e := startEngine(t, pool, registrytest.Build(t, pro), engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, DeployPoll: time.Hour}, nil)
	send := func(plan any, ago time.Duration) int {
		ingestAll(t, e, []engine.Event{{UserID: "ada", Traits: map[string]any{"plan": plan}, OccurredAt: c.Now().Add(-ago)}})
		trips, _ := count.take()
		return trips
	}
	version := func() (n int) {
		if err := pool.QueryRow(t.Context(), "select version from bucketgen.contacts where user_id = 'ada'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		count.take()
		return n
	}
	send("free", 0)
	c.Advance(time.Minute)
	send("pro", 0)
	c.Advance(time.Minute)
	send("pro", 0) // which is noted
	before := version()
	c.Advance(time.Minute)
	send("pro", 0)
	trips := send("pro", 0) // once the engine remembers the user
	equal(t, "versions that a repetition makes", version()-before, 0)
	equal(t, "round trips of a repetition", trips, 2)
	c.Advance(time.Hour)
	send("pro", 0)
	equal(t, "versions that a repetition an hour later makes", version()-before, 1)
	c.Advance(time.Minute)
	trips = send("team", time.Second) // dated, and newer than all that is known
	equal(t, "round trips of a newer value", trips, 2)
	before = version()
	trips = send("pro", 30*time.Second) // the value before, sent again
	equal(t, "round trips of a late value", trips, 2)
	equal(t, "versions that a late value makes that changes nothing", version()-before, 1)
	trips = send("free", time.Hour)
	equal(t, "round trips of a value that is too late", trips, 2)
}
