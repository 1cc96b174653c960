package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestTimeOfUsers sends the events of one user through three engines in turn whose clocks differ.
// The user's time never goes back, and transitions are those that the reference evaluator gives for
// the log.
func TestTimeOfUsers(t *testing.T) {
	t.Parallel()
	ticking, virtual := newClock(epoch), newClock(epoch)
	future := newClock(epoch.AddDate(500, 0, 0))
	for _, test := range []struct {
		name    string
		now     func() time.Time
		pass    func(time.Duration) // lets time pass
		unit    time.Duration
		apart   time.Duration
		virtual bool
	}{
		{"two seconds apart", time.Now, func(time.Duration) {}, time.Millisecond, 2 * time.Second, false},
		{"an hour apart", time.Now, func(time.Duration) {}, time.Millisecond, time.Hour, false},
		{"in the past", ticking.Now, ticking.Advance, time.Minute, 2 * time.Second, false},
		{"in the past, virtual", virtual.Now, virtual.Advance, time.Minute, time.Hour, true},
		{"in the future", future.Now, future.Advance, time.Minute, time.Hour, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			definitions := []bucket.Definition{
				bucket.Define(bucket.Spec{ID: "recent", Criteria: visit.Within(3*test.unit + time.Microsecond).Exists()}),
				bucket.Define(bucket.Spec{ID: "pair", Criteria: visit.Within(5*test.unit + 3*time.Microsecond).AtLeast(2)}),
				bucket.Define(bucket.Spec{ID: "away", Criteria: bucket.All(visit.Exists(), visit.Within(4*test.unit+7*time.Microsecond).Never())}),
				bucket.Define(bucket.Spec{ID: "staying", Criteria: visit.Within(test.unit + 5*time.Microsecond).Exists(), MinDwell: 2*test.unit + 11*time.Microsecond}),
				pro,
			}
			r := registrytest.Build(t, definitions...)
			engines := make([]*engine.Engine, 3)
			for i, off := range []time.Duration{0, test.apart, -test.apart} {
				engines[i] = startEngine(t, pool, r, engine.Config{
					NoClock: true, NoDelivery: true, Skew: 3 * time.Hour, VirtualTime: test.virtual, Now: func() time.Time { return test.now().Add(off) },
				}, nil)
			}
			const events = 150
			for i := range events {
				ev := eventInTurn(i)
				if i%5 == 1 {
					ev.OccurredAt = test.now().Add(-test.unit)
				}
				_, err := engines[i%3].Ingest(t.Context(), ev)
				must(t, err)
				if i%4 == 0 {
					_, err := engines[(i/4)%3].Clock().RunDue(t.Context())
					must(t, err)
				}
				test.pass(test.unit)
			}
			steps := logOf(t, pool)
			if len(steps) != events {
				t.Fatalf("the log has %d events, want %d", len(steps), events)
			}
			checkMonotone(t, steps)
			file, err := registrytest.IR(definitions...)
			must(t, err)
			until := steps[events-1].At
			var want []string
			for _, tr := range refeval.Run(file, steps, until).Transitions {
				want = append(want, fmt.Sprintf("%s %s %s %d", tr.At.UTC().Format(time.RFC3339Nano), tr.Kind, tr.Bucket, tr.EntryCount))
			}
			if len(want) < 10 {
				t.Errorf("only %d transitions happened", len(want))
			}
			got := transitionsUntil(t, pool, until)
			equalLists(t, got, want)
		})
	}
}

// eventInTurn returns the event of a turn: of one that buckets ask for, of another, or a change of
// plan.
func eventInTurn(i int) engine.Event {
	if i%7 == 0 {
		return engine.Event{UserID: "ada", Traits: map[string]any{"plan": []string{"pro", "free"}[i/7%2]}}
	}
	return engine.Event{UserID: "ada", Name: []string{"visit", "other", "other", "visit", "purchase"}[i*i%5]}
}

// checkMonotone checks that the time of a user does not go back.
func checkMonotone(t *testing.T, steps []refeval.Action) {
	t.Helper()
	for i := range steps[1:] {
		if was, now := steps[i].At, steps[i+1].At; now.Before(was) {
			t.Errorf("event %d was received %s before the one before", i+1, was.Sub(now))
		}
	}
}

// logOf returns the log of the only user, in the order of arrival.
func logOf(t *testing.T, pool *pgxpool.Pool) []refeval.Action {
	t.Helper()
	rows, err := pool.Query(t.Context(), `select c.user_id, coalesce(n.name, ''), coalesce(e.properties::text, ''), coalesce(e.traits::text, ''), e.occurred_at, e.received_at
		from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id left join bucketgen.event_names n on n.no = e.event_no order by e.id`)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (refeval.Action, error) {
		s := refeval.Action{Op: refeval.Ingest}
		var properties, traits string
		err := row.Scan(&s.User, &s.Name, &properties, &traits, &s.OccurredAt, &s.At)
		s.Properties, s.Traits = []byte(properties), []byte(traits)
		return s, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// transitionsUntil returns what happened up to an instant, in the order in which it did.
func transitionsUntil(t *testing.T, pool *pgxpool.Pool, until time.Time) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `select t.at, t.kind, b.id, t.entry_count from bucketgen.transitions t join bucketgen.buckets b on b.no = t.bucket_no
		where t.at <= $1 order by t.id`, until)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var at time.Time
		var kind, bucketID string
		var entryCount int
		err := row.Scan(&at, &kind, &bucketID, &entryCount)
		return fmt.Sprintf("%s %s %s %d", at.UTC().Format(time.RFC3339Nano), kind, bucketID, entryCount), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func equalLists(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got) || i >= len(want):
			t.Fatalf("%d transitions, want %d", len(got), len(want))
		case got[i] != want[i]:
			t.Fatalf("transition %d is %s, want %s", i, got[i], want[i])
		}
	}
}

// TestTimeCostsNothing checks that the contact is not written for the user's time while the clocks
// agree.
func TestTimeCostsNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	r := registrytest.Build(t, pro, regulars)
	engines := make([]*engine.Engine, 2)
	for i, off := range []time.Duration{2 * time.Second, -2 * time.Second} {
		engines[i] = startEngine(t, pool, r, engine.Config{NoClock: true, NoDelivery: true, CacheBytes: 1, Now: func() time.Time { return time.Now().Add(off) }}, nil)
	}
	track := func(i int) {
		if _, err := engines[i%2].Ingest(t.Context(), engine.Event{UserID: "ada", Name: "other"}); err != nil {
			t.Fatal(err)
		}
	}
	row := func() (version string) {
		if err := pool.QueryRow(t.Context(), "select concat_ws(' ', xmin, ctid, decided_at) from bucketgen.contacts").Scan(&version); err != nil {
			t.Fatal(err)
		}
		return version
	}
	for i := range 4 {
		track(i)
	}
	was := row()
	for i := range 20 {
		track(i)
	}
	if is := row(); is != was {
		t.Errorf("the row of the contact is another: %s, was %s", is, was)
	}
}
