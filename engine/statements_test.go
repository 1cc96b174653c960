package engine_test

import (
	"context"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// tally counts round trips and statements.
type tally struct {
	mu         sync.Mutex
	trips      int
	statements int
	looks      int      // at what is deployed, by themselves
	sent       []string // statements
}

func (c *tally) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trips++
	c.statements += data.Batch.Len()
	return ctx
}

func (c *tally) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, data.SQL)
}

func (c *tally) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (c *tally) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch data.SQL { // what loops of the engine do beside, at a time of their own
	case db.TransitionsNotify, db.ProcessesNote, db.CatalogAdd, db.CatalogTrim, db.JobsClaim, db.HidingsErased:
		return ctx
	case db.GenerationNo:
		c.looks++
		return ctx
	}
	c.trips++
	c.statements++
	c.sent = append(c.sent, data.SQL)
	return ctx
}

func (c *tally) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *tally) take() (trips, statements int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trips, statements = c.trips, c.statements
	c.trips, c.statements, c.sent = 0, 0, nil
	return trips, statements
}

// takeSent returns the statements since the last time, sorted, without the one that a connection
// sends now and then to plan anew.
func (c *tally) takeSent() []string {
	c.mu.Lock()
	sent := slices.DeleteFunc(c.sent, func(sql string) bool { return sql == "discard plans" })
	c.mu.Unlock()
	c.take()
	slices.Sort(sent)
	return sent
}

// checkLooks fails if what is deployed was read more often than an engine does as it begins: for
// each batch, say.
func (c *tally) checkLooks(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	const most = 5 // there are more batches than that
	if c.looks > most {
		t.Errorf("what is deployed was read %d times by a round trip of its own", c.looks)
	}
}

// TestStatementsDoNotGrow counts what a batch sends to the database, whatever is in it: one event
// or a thousand, of one user or of many, with or without transitions, overdue instants, new names
// and keys.
func TestStatementsDoNotGrow(t *testing.T) {
	t.Parallel()
	const (
		maxTrips      = 3  // facts, more facts, write
		maxStatements = 40 // every statement that there is, those for further facts twice
	)
	config, err := pgxpool.ParseConfig(pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	count := &tally{}
	config.ConnConfig.Tracer = count
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	ticking := bucket.Define(bucket.Spec{ID: "ticking", Criteria: plan.Exists(), MaxDwell: 3 * bucket.Day, Dwell: []bucket.Tick{bucket.Every(bucket.Hour)}})
	lapsed := bucket.Define(bucket.Spec{ID: "lapsed", Criteria: bucket.All(
		visit.Ago(20*bucket.Day, 2*bucket.Day).AtLeast(2), purchase.Where(purchase.Number("seats").AtLeast(2)).Ago(bucket.Week, bucket.Day).Never(),
	)})
	answered := bucket.Define(bucket.Spec{ID: "answered", Criteria: visit.ThenWithin(bucket.Day, purchase).By(visit.Number("seats"), purchase.Number("seats")).InTheLast(bucket.Week)})
	unanswered := bucket.Define(bucket.Spec{ID: "unanswered", Criteria: visit.Then(visit).Within(bucket.Day).ThenNot(purchase).Within(bucket.Hour).By(visit.Number("seats"), purchase.Number("seats")).Exists()})
	r := registrytest.Build(t, pro, regulars, dormant, proBuyers, ticking, lapsed, answered, unanswered)
	c := newClock(epoch)
	e := startEngine(t, pool, r, engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, Flushers: 1, MaxBatch: 2000, DeployPoll: time.Hour}, nil)
	warm := randomEvents(rand.New(rand.NewPCG(0, 0)), 1, 1) // names and prepared statements
	for range 3 {
		ingestAll(t, e, append(warm, randomEvents(rand.New(rand.NewPCG(0, 1)), 50, 5)...))
		c.Advance(48 * time.Hour)
	}
	count.take()
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 7))
		size, users := 1<<rng.IntN(11), 1+rng.IntN(300)
		ingestAll(t, e, randomEvents(rng, size, users))
		if trips, statements := count.take(); trips > maxTrips || statements > maxStatements {
			t.Errorf("%d events of up to %d users took %d round trips and %d statements, more than %d and %d", size, users, trips, statements, maxTrips, maxStatements)
		}
		c.Advance(time.Duration(rng.IntN(100)) * time.Hour)
	}
	count.checkLooks(t)
}

// TestAgoIsReadAhead checks that what a window that ends some time ago needs is read with
// everything else: an event takes no third round trip.
func TestAgoIsReadAhead(t *testing.T) {
	t.Parallel()
	count := &tally{}
	pool := traced(t, count)
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "lapsed", Criteria: visit.Ago(bucket.Week, bucket.Day).AtLeast(5)}))
	c := newClock(epoch)
	e := startEngine(t, pool, r, engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, Flushers: 1, DeployPoll: time.Hour}, nil)
	for i := range 60 {
		count.take()
		ingestAll(t, e, []engine.Event{{UserID: "ada", Name: "visit"}})
		if trips, _ := count.take(); i > 0 && trips != 2 {
			t.Errorf("event %d took %d round trips, want 2", i, trips)
		}
		c.Advance(time.Hour)
	}
	count.checkLooks(t)
}

// traced returns a pool on a database of its own, whose queries the tracer sees.
func traced(t *testing.T, tracer pgx.QueryTracer) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func ingestAll(t *testing.T, e *engine.Engine, events []engine.Event) {
	t.Helper()
	if _, err := e.IngestBatch(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func randomEvents(rng *rand.Rand, size, users int) []engine.Event {
	events := make([]engine.Event, size)
	for i := range events {
		ev := engine.Event{UserID: "u" + itoa(rng.IntN(users)), Name: []string{"visit", "purchase", "other"}[rng.IntN(3)]}
		switch rng.IntN(4) {
		case 0:
			ev.Traits = map[string]any{"plan": []any{"pro", "free", nil}[rng.IntN(3)]}
		case 1:
			ev.Key = strconv.Itoa(rng.IntN(1000))
		case 2:
			ev.Properties = map[string]any{"seats": rng.IntN(5)}
		}
		events[i] = ev
	}
	return events
}

// TestPlansDoNotDependOnSize lets PostgreSQL plan while the tables are empty, as the engine does it
// on a new database: the plans are kept while they grow.
func TestPlansDoNotDependOnSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for name, q := range hotQueries() {
		if text := explain(t, w, q.sql, "force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off", q.args); readsTooMuch(name, text) {
			t.Errorf("%s reads all of a table:\n%s", name, text)
		}
	}
}

// TestBucketsAreHashed lets PostgreSQL explain what the clock asks: the numbers of all buckets of a
// process are among the arguments, and must not be scanned for each user who is due.
func TestBucketsAreHashed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, name := range []string{"ContactsLockDue", "DueNext"} {
		q := hotQueries()[name]
		if plan := explain(t, w, q.sql, "force_generic_plan", q.args); !strings.Contains(plan, "hashed SubPlan") {
			t.Errorf("%s does not hash the numbers of buckets:\n%s", name, plan)
		}
	}
}

// growing are the tables that grow with users, or with what happens to them.
var growing = []string{
	"contacts", "identities", "merges", "events", "memberships", "due", "idempotency_keys", "transitions", "deliveries", "occurrences", "totals", "groups",
	"sums", "progress", "advances", "rollups", "changes", "hidings", "size_changes",
}

// readsAll reports whether a plan reads a table that grows from end to end.
func readsAll(plan string) bool {
	return slices.ContainsFunc(growing, func(table string) bool {
		return strings.Contains(plan, "Seq Scan on "+table+" ")
	})
}

// TestHotQueriesUseIndexes lets PostgreSQL explain the statements that run on tables which grow, on
// tables that have grown. None may read one of them from end to end.
func TestHotQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	w := grown(t)
	for name, q := range hotQueries() {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			if text := explain(t, w, q.sql, mode, q.args); readsTooMuch(name, text) {
				t.Errorf("%s (%s) reads all of a table:\n%s", name, mode, text)
			}
		}
	}
}

// readsWhole are the tables that grow which a statement may read from end to end, by the lines of
// its plan, with the reason.
var readsWhole = map[string]*regexp.Regexp{
	"SizesNow":   regexp.MustCompile(`Seq Scan on size_changes `),                      // the rollup empties it every minute
	"SummaryNow": regexp.MustCompile(`(?m)Limit\n\s+->  Seq Scan on deliveries \w+\n`), // up to 10,000 that wait, which no index has alone
}

// readsTooMuch reports whether a plan reads a table from end to end that its statement may not.
func readsTooMuch(name, plan string) bool {
	if may := readsWhole[name]; may != nil {
		plan = may.ReplaceAllString(plan, "")
	}
	return readsAll(plan)
}

// grown returns a world whose tables are large enough that PostgreSQL prefers to look things up.
func grown(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, pro, regulars, dormant, proBuyers)
	for _, sql := range []string{
		`insert into bucketgen.contacts (user_id, created_at, updated_at) select 'h' || i, now(), now() from generate_series(1, 30000) i`,
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind)
			select 1, 1, now() - i * interval '1 s', now(), 'track' from generate_series(1, 100000) i`,
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind)
			select i, 1, now(), now(), 'track' from generate_series(1, 30000) i`,
		`insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, left_at, source)
			select i, b, 1, now(), case when i % 3 = 0 then now() end, 'event' from generate_series(1, 30000) i, generate_series(1, 2) b`,
		`insert into bucketgen.merges (contact_id, from_id, kind, from_name, into_name, at, properties, stays) select i, -i, 'automatic', '', '', now(), '{}', '[]' from generate_series(1, 30000) i`,
		`insert into bucketgen.identities (kind, value, contact_id, added_at) select 'user', 'was' || i, i, now() from generate_series(1, 30000) i`,
		`insert into bucketgen.due (contact_id, bucket_no, due_at) select i, 1, now() + i * interval '1 s' from generate_series(1, 30000) i`,
		`insert into bucketgen.idempotency_keys (contact_id, key, seen_at) select i, 'k', now() from generate_series(1, 30000) i`,
		`insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source, made_by)
			select i, 1, 1, 'entered', i, now(), now(), 'event', (i / 30)::text::xid8 from generate_series(1, 30000) i`,
		`insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at)
			select i, 1, 1, i, now() from generate_series(1, 30000) i`,
		`insert into bucketgen.occurrences (contact_id, signal_no, occurred_at, value) select i, 1, now(), '1' from generate_series(1, 30000) i`,
		`insert into bucketgen.totals (contact_id, signal_no, count, first_at, last_at) select i, 1, 1, now(), now() from generate_series(1, 30000) i`,
		`insert into bucketgen.groups (contact_id, signal_no, name, occurred_at) select i, 1, 'a', now() from generate_series(1, 30000) i`,
		`insert into bucketgen.sums (contact_id, signal_no, time_window, total, count) select i, 1, 'day', 1, 1 from generate_series(1, 30000) i`,
		`insert into bucketgen.progress (contact_id, sequence_no, key, seen_at, begins, ends, outcome_at)
			select i, 1, 'k', now(), '{1}', '{1}', now() from generate_series(1, 30000) i`,
		`insert into bucketgen.advances (contact_id, sequence_no, key, occurred_at, steps) select i, 1, 'k', now(), 1 from generate_series(1, 30000) i`,
		`insert into bucketgen.rollups (bucket_no, hour, entered, "left", dwell)
			select b, '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 hour', 1, 0, 0 from generate_series(1, 100) i, generate_series(1, 300) b`,
		`insert into bucketgen.changes (contact_id, property_no, was, changed_at) select i, 1, '1', now() from generate_series(1, 30000) i`,
		`insert into bucketgen.hidings (made_by, user_id, at) select (i / 30)::text::xid8, 'h' || i, now() from generate_series(1, 30000) i`,
	} {
		execSQL(t, w, sql)
	}
	execSQL(t, w, "analyze")
	return w
}

// TestFeedAfterAnImport reads the log of transitions behind one transaction that made most of them:
// what another made is found by its number, whatever PostgreSQL takes the numbers for.
func TestFeedAfterAnImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, sql := range []string{
		`insert into bucketgen.contacts (user_id, created_at, updated_at) select 'h' || i, now(), now() from generate_series(1, 20000) i`,
		`insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source, made_by)
			select i, 1, 1, 'entered', i, now(), now(), 'event', '700' from generate_series(1, 20000) i`,
		"analyze",
	} {
		execSQL(t, w, sql)
	}
	const args = "1000, array['801']::xid8[], 0, null, true, true, 20000, 20000, '900', '900', array['801']::xid8[], array['801']::xid8[]"
	removed := regexp.MustCompile(`Rows Removed by Filter: \d{3,}`)
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		plan := explainBy(t, w, "explain (analyze, costs off, timing off, summary off)", db.TransitionsBetween, mode, args)
		if removed.MatchString(plan) || !strings.Contains(plan, "transitions_made") {
			t.Errorf("%s reads what others made:\n%s", mode, plan)
		}
	}
}

// TestHistoryIsNotRead counts the rows that PostgreSQL touches to answer for a user with a long
// history: as many as are asked for, and no more.
func TestHistoryIsNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	for _, sql := range []string{
		`insert into bucketgen.contacts (user_id, created_at, updated_at) select 'h' || i, now(), now() from generate_series(1, 1000) i`,
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind)
			select 1, 1, now() - i * interval '1 s', now(), 'track' from generate_series(1, 20000) i`,
		`insert into bucketgen.occurrences (contact_id, signal_no, occurred_at, value)
			select 1, 1, now() - i * interval '1 s', '1' from generate_series(1, 20000) i`,
		`insert into bucketgen.groups (contact_id, signal_no, name, occurred_at)
			select 1, 1, i::text, now() - i * interval '1 s' from generate_series(1, 20000) i`,
		`insert into bucketgen.totals (contact_id, signal_no, count, first_at, last_at) values (1, 1, 20000, now(), now())`,
		`insert into bucketgen.sums (contact_id, signal_no, time_window, total, count, cutoff)
			values (1, 1, 'day', 10000, 10000, now() - interval '10000 s')`,
		`insert into bucketgen.progress (contact_id, sequence_no, key, seen_at, begins, ends, outcome_at)
			select 1, 1, case i when 1 then 'k' else i::text end, now(), '{1}', '{1}', now() - i * interval '1 s' from generate_series(1, 20000) i`,
		`insert into bucketgen.advances (contact_id, sequence_no, key, occurred_at, steps)
			select 1, 1, 'k', now() - i * interval '1 s', 1 from generate_series(1, 20000) i`,
		`analyze`,
	} {
		execSQL(t, w, sql)
	}
	for _, name := range []string{"EventsNewest", "EventsAround", "OccurrencesNewest", "OccurrencesAround", "GroupsNewest", "TotalsOf", "SumsOf", "ProgressOf", "ProgressNewest", "ProgressOpen", "AdvancesAround"} {
		q := hotQueries()[name]
		plan := explainBy(t, w, "explain (analyze, costs off, timing off)", q.sql, "force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off", q.args)
		if n := mostRows(t, plan); n > 100 {
			t.Errorf("%s touches %d rows:\n%s", name, n, plan)
		}
	}
}

var touched = regexp.MustCompile(`actual rows=(\d+)`)

// mostRows returns the largest number of rows in a plan that was analysed.
func mostRows(t *testing.T, plan string) int {
	t.Helper()
	rows := touched.FindAllStringSubmatch(plan, -1)
	if len(rows) == 0 {
		t.Errorf("no row counts in\n%s", plan)
	}
	most := 0
	for _, row := range rows {
		n, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	return most
}

func explain(t *testing.T, w *world, sql, mode, args string) string {
	t.Helper()
	return explainBy(t, w, "explain (costs off)", sql, mode, args)
}

func explainBy(t *testing.T, w *world, how, sql, mode, args string) string {
	t.Helper()
	conn, err := w.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	run := func(sql string) string {
		results, err := conn.Conn().PgConn().Exec(t.Context(), sql).ReadAll() // by the simple protocol
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		var lines []string
		for _, row := range results[0].Rows {
			lines = append(lines, string(row[0]))
		}
		return strings.Join(lines, "\n") + "\n"
	}
	run("set plan_cache_mode = " + mode)
	run("prepare q as " + sql)
	defer run("deallocate q")
	if args == "" {
		return run(how + " execute q")
	}
	return run(how + " execute q(" + args + ")")
}
