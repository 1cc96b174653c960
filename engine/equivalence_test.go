package engine_test

import (
	"cmp"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/internal/refeval/subject"
)

// TestEquivalence compares the engine on PostgreSQL with the simulator and with the reference, over
// random definitions and histories, in random batches and with the clock's work done at random
// moments.
func TestEquivalence(t *testing.T) {
	t.Parallel()
	for name, replay := range map[string]bool{"steps": false, "replay": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t) // what is deployed is the same for all who use a database
			draw.Check(t, 500, func(t *rapid.T) {
				n, users := begin(t, pool)
				f, m := draw.Definitions(t, 5), manner(t, n)
				steps := draw.Steps(t, f, users, 25)
				if m.Replay = replay; replay {
					steps = draw.Replay(t, users, 40)
				}
				compareAll(t, pool, f, steps, m)
			})
		})
	}
}

// TestTurns compares them while several engines take turns with the same users, whom each of them
// remembers as it left them, and while callers take events in by transactions of their own.
func TestTurns(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	draw.Check(t, 300, func(t *rapid.T) {
		n, users := begin(t, pool)
		f, m := draw.Definitions(t, 5), manner(t, n)
		m.Engines = rapid.IntRange(1, 3).Draw(t, "engines")
		turn := 0
		m.Turn = func(int) int { // each a few times in a row, so that what they remember is of use
			if rapid.IntRange(0, 3).Draw(t, "next") == 3 {
				turn = rapid.IntRange(0, m.Engines-1).Draw(t, "turn")
			}
			return turn
		}
		m.Within = func(int) bool { return rapid.IntRange(0, 5).Draw(t, "within") == 5 }
		compareAll(t, pool, f, draw.Changing(t, f, users, 40), m)
	})
}

// TestPeopleEquivalence compares them while ids of users, devices and e-mail addresses lead to each
// other and anonymous users expire, by several engines that take turns.
func TestPeopleEquivalence(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	draw.Check(t, 300, func(t *rapid.T) {
		n, users := begin(t, pool)
		f, m := draw.Definitions(t, 5), manner(t, n)
		inOrder(t, &m)
		m.Engines = rapid.IntRange(1, 3).Draw(t, "engines")
		m.Turn = func(int) int { return rapid.IntRange(0, m.Engines-1).Draw(t, "turn") }
		m.Within = func(int) bool { return rapid.IntRange(0, 5).Draw(t, "within") == 5 }
		m.Limits.AnonymousAge = draw.AnonymousAge(t)
		compareAll(t, pool, f, draw.People(t, f, users, 25), m)
	})
}

// TestErasingEquivalence compares them while some users are erased, with and without a secret under
// which their ids are hashed.
func TestErasingEquivalence(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	draw.Check(t, 300, func(t *rapid.T) {
		n, users := begin(t, pool)
		f, m := draw.Definitions(t, 5), manner(t, n)
		inOrder(t, &m)
		m.Within = func(int) bool { return rapid.IntRange(0, 5).Draw(t, "within") == 5 }
		m.Engines = rapid.IntRange(1, 3).Draw(t, "engines")
		m.Turn = func(int) int { return rapid.IntRange(0, m.Engines-1).Draw(t, "turn") }
		m.Limits.AnonymousAge = draw.AnonymousAge(t)
		m.Secret = rapid.SampledFrom([]string{"", secret}).Draw(t, "secret")
		compareAll(t, pool, f, draw.Erasing(t, f, users, 25), m)
	})
}

// TestIDLimits compares them while users may have few ids. Each event is a call of its own: the ids
// of a batch are resolved together, before an id is detached for one of them, and a call keeps the
// order of users only where they send the same id.
func TestIDLimits(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	draw.Check(t, 300, func(t *rapid.T) {
		n, users := begin(t, pool)
		f, m := draw.Definitions(t, 5), manner(t, n)
		m.MaxBatch, m.Flushers = 1, 1
		m.Together = func(int) bool { return false }
		m.Limits.AnonymousAge, m.IDs = draw.AnonymousAge(t), draw.IDs(t)
		compareAll(t, pool, f, draw.People(t, f, users, 40), m)
	})
}

// TestRedefine compares them while definitions change and buckets are paused and resumed.
func TestRedefine(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	draw.Check(t, 300, func(t *rapid.T) {
		n, users := begin(t, pool)
		f, m := draw.Definitions(t, 5), manner(t, n)
		compareAll(t, pool, f, draw.Changing(t, f, users, 25), m)
	})
}

// forget makes a database as good as new: its users and deployments would have to be evaluated in
// each case.
const forget = `
do $$ begin
	execute (select 'truncate ' || string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables
		where schemaname = 'bucketgen' and tablename not in ('migrations', 'generation', 'compatibility', 'rollup_progress'));
	update bucketgen.generation set no = 0;
end $$`

// cases numbers cases, whose users and buckets have names of their own.
var cases atomic.Int64

// begin returns the number of a new case and the names of its users.
func begin(t *rapid.T, pool *pgxpool.Pool) (number int, users []string) {
	if _, err := pool.Exec(t.Context(), forget); err != nil {
		t.Fatal(err)
	}
	number = int(cases.Add(1))
	for _, name := range []string{"ada", "bob", "cy", "dee"} {
		users = append(users, fmt.Sprintf("c%d-%s", number, name))
	}
	return number, users
}

// inOrder keeps the order of events with and without user ids. They may be of one user, which the
// engine finds out as it writes them: a call that is more than a batch keeps the order of those
// that have an id in common.
func inOrder(t *rapid.T, m *subject.Manner) {
	if m.MaxBatch = 500; rapid.IntRange(0, 3).Draw(t, "apart") == 0 {
		m.MaxBatch, m.Together = 1, func(int) bool { return false }
	}
}

func manner(t *rapid.T, number int) subject.Manner {
	return subject.Manner{
		Number:       number,
		MaxBatch:     rapid.SampledFrom([]int{500, 1, 2, 3, 7}).Draw(t, "max batch"),
		Flushers:     rapid.IntRange(1, 4).Draw(t, "flushers"),
		ClockWorkers: rapid.IntRange(1, 2).Draw(t, "clock workers"),
		Together:     func(int) bool { return rapid.IntRange(0, 3).Draw(t, "apart") < 3 },
		Follow:       func(int) bool { return rapid.Bool().Draw(t, "all follow") },
		Settle: func(int) (time.Duration, bool) {
			after := rapid.SampledFrom([]time.Duration{0, time.Microsecond, draw.Hour, 90 * time.Minute}).Draw(t, "settle after")
			return after, rapid.IntRange(0, 2).Draw(t, "settle") == 2
		},
	}
}

func compareAll(t *rapid.T, pool *pgxpool.Pool, f *ir.File, steps []refeval.Action, m subject.Manner) {
	until := steps[len(steps)-1].At.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "after")) * draw.Hour)
	story := fmt.Sprintf("%s%suntil %s", refeval.Describe(f), refeval.DescribeSteps(steps), until)
	simulated, err := subject.SimulateWithin(event.Limits{User: decide.Limits{AnonymousAge: m.Limits.AnonymousAge}, IDs: event.IDRules{Limits: m.IDs}}, f, steps, until)
	if err != nil {
		t.Fatalf("%v\n%s", err, story)
	}
	got, err := subject.Engine(t.Context(), pool, f, steps, until, m)
	if err != nil {
		t.Fatalf("%v\n%s", err, story)
	}
	if m.Replay { // which counts duplicates without saying which
		got.Steps = simulated.Steps
	}
	if diff := refeval.Diff(simulated, got); diff != "" {
		t.Fatalf("simulator and engine differ\n%s\n%s", diff, story)
	}
	rules := refeval.Rules{
		AnonymousAge: cmp.Or(m.Limits.AnonymousAge, refeval.Defaults.AnonymousAge), Anonymous: m.IDs.Anonymous, Emails: m.IDs.Emails,
	}
	if diff := refeval.Diff(rules.Run(f, steps, until), got); diff != "" {
		t.Fatalf("reference and engine differ\n%s\n%s", diff, story)
	}
}
