package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// TestConcurrencyAndCrashes lets 64 goroutines in three processes ingest events and property flips
// for the same 50 users, by every way there is, with clock workers, manual changes and deliveries
// beside them. First no process is killed; then processes are killed at random moments and
// PostgreSQL is crashed under them. Afterwards everything must be as if it had happened one thing
// after the other: that is what the reference evaluator is asked, which shares no code with the
// engine.
func TestConcurrencyAndCrashes(t *testing.T) { //nolint:tparallel // its parts are stages of one story
	t.Parallel()
	c := newCrashTest(t)
	c.lease = time.Hour // no process dies, so no lease has to run out
	c.run(t, 40, func() {})
	t.Run("undisturbed", func(t *testing.T) { //nolint:paralleltest // the next stage waits for it
		c.check(t)
		c.checkDeliveredOnce(t)
	})
	c.lease = time.Second
	c.run(t, 50, func() { c.disturb(t) })
	c.run(t, 0, func() {})                                    // what was not acknowledged is sent again
	t.Run("after crashes", func(t *testing.T) { c.check(t) }) //nolint:paralleltest // it is the last stage
}

type crashTest struct {
	server  *postgres.Server
	dir     string
	seed    uint64
	lease   time.Duration
	rng     *rand.Rand
	pool    *pgxpool.Pool
	reg     *registry.Registry
	mu      sync.Mutex
	workers []*exec.Cmd
}

const crashProcesses, crashUsers = 3, 50

func crashFile() (*ir.File, error)               { return registrytest.IR(crashBuckets()...) }
func crashRegistry() (*registry.Registry, error) { return registrytest.Of(crashBuckets()...) }
func goroutinesOf(process int) int               { return 64/crashProcesses + min(1, process/(crashProcesses-1)) }

func newCrashTest(t *testing.T) *crashTest {
	t.Helper()
	c := &crashTest{dir: t.TempDir(), seed: uint64(time.Now().UnixNano())}
	t.Logf("seed %d", c.seed)
	c.rng = rand.New(rand.NewPCG(c.seed, 0))
	var err error
	if c.server, err = postgres.Start(t.Context(), postgres.Options{}); err != nil { // of its own: it is going to crash
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.server.Stop() })
	if c.pool, err = pgxpool.New(t.Context(), c.server.URL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.pool.Close)
	if _, err := migrate.Up(t.Context(), c.pool, migrate.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.pool.Exec(t.Context(), `create table public.delivered (seq bigserial, key text, usr text, bucket text, kind text, entry_count integer)`); err != nil {
		t.Fatal(err)
	}
	if c.reg, err = crashRegistry(); err != nil {
		t.Fatal(err)
	}
	e := startEngine(t, c.pool, c.reg, engine.Config{NoClock: true, NoDelivery: true}, nil)
	for i := range crashUsers { // so that no user is created by anything that is not in the log
		if _, err := e.Ingest(t.Context(), engine.Event{UserID: "u" + itoa(i), Name: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, e)
	return c
}

// run starts the processes and lets each do a number of operations, while meanwhile runs beside
// them.
func (c *crashTest) run(t *testing.T, ops int, meanwhile func()) {
	t.Helper()
	c.workers = make([]*exec.Cmd, crashProcesses)
	var group sync.WaitGroup
	for id := range crashProcesses {
		c.spawn(t, id, ops)
	}
	over := make(chan struct{})
	group.Go(func() { meanwhile(); close(over) })
	for id := range crashProcesses {
		group.Go(func() {
			for {
				c.mu.Lock()
				cmd := c.workers[id]
				c.mu.Unlock()
				err := cmd.Wait()
				if err == nil {
					return
				}
				if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
					t.Errorf("process %d: %v\n%s", id, err, cmd.Stderr)
					return
				}
				c.spawn(t, id, ops/2)
			}
		})
	}
	<-over
	group.Wait()
}

func (c *crashTest) spawn(t *testing.T, id, ops int) {
	t.Helper()
	cmd, err := startWorker(crashVar, crashWorker{
		URL: c.server.URL, Dir: c.dir, ID: id, Seed: c.seed, Goroutines: goroutinesOf(id), Users: crashUsers, Ops: ops, Lease: c.lease,
	})
	if err != nil {
		t.Error(err)
		return
	}
	c.mu.Lock()
	c.workers[id] = cmd
	c.mu.Unlock()
}

// startWorker starts this test binary as a worker, and waits until it is ready.
func startWorker(variable string, worker any) (*exec.Cmd, error) {
	config, err := json.Marshal(worker)
	if err != nil {
		return nil, err
	}
	cmd, err := child.Command(context.Background(), variable, string(config)) // it is stopped, or killed, by hand
	if err != nil {
		return nil, err
	}
	cmd.Stderr = &strings.Builder{}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	_, _ = bufio.NewReader(out).ReadString('\n')
	return cmd, nil
}

// disturb kills processes and crashes the database.
func (c *crashTest) disturb(t *testing.T) {
	t.Helper()
	for n := range 8 {
		time.Sleep(time.Duration(100+c.rng.IntN(500)) * time.Millisecond) //nolint:forbidigo // a random moment is the point
		if n%4 == 3 {
			if err := c.server.Crash(t.Context()); err != nil {
				t.Error(err)
			}
			continue
		}
		c.mu.Lock()
		_ = c.workers[c.rng.IntN(crashProcesses)].Process.Kill()
		c.mu.Unlock()
	}
}

// check settles what is due and compares everything in the database with what should be there.
func (c *crashTest) check(t *testing.T) { //nolint:thelper // a stage of the test, whose lines say what failed
	c.reconnect(t)
	ctx := t.Context()
	until := time.Now().Truncate(time.Microsecond)
	settler := startEngine(t, c.pool, c.reg, engine.Config{NoClock: true, NoDelivery: true}, nil)
	if _, err := settler.Clock().RunDue(ctx); err != nil {
		t.Fatal(err)
	}
	stop(t, settler)
	// On this one's clock every lease of the dead has run out, and every delivery that failed is
	// due again.
	tomorrow := func() time.Time { return time.Now().Add(bucket.Day) }
	e := startEngine(t, c.pool, c.reg, engine.Config{NoClock: true, Now: tomorrow, DeliveryPoll: 10 * time.Millisecond}, func(e *engine.Engine) {
		if err := listen(e, c.pool, c.reg); err != nil {
			t.Fatal(err)
		}
	})
	c.drain(t)
	c.checkJournals(t, 64)
	c.checkAgainstReference(t, until)
	for what, sql := range map[string]string{
		"memberships whose entry counts have a gap": `select count(*) from (
			select count(*) n, max(entry_count) m from bucketgen.memberships group by contact_id, bucket_no) x where n <> m`,
		"memberships without exactly one entry": `select count(*) from bucketgen.memberships m where 1 <> (
			select count(*) from bucketgen.transitions t where t.membership_id = m.id and t.kind = 'entered' and t.at = m.entered_at)`,
		"memberships without a leave for each end": `select count(*) from bucketgen.memberships m where (m.left_at is not null)::int <> (
			select count(*) from bucketgen.transitions t where t.membership_id = m.id and t.kind = 'left' and t.at = m.left_at)`,
		"transitions that were announced but not delivered": `select count(*) from bucketgen.transitions t
			join bucketgen.buckets b on b.no = t.bucket_no join bucketgen.contacts c on c.id = t.contact_id
			where not t.suppressed and not exists (select from public.delivered d
				where d.usr = c.user_id and d.bucket = b.id and d.kind = t.kind and d.entry_count = t.entry_count)`,
		"deliveries of what was not announced": `select count(*) from public.delivered d where not exists (
			select from bucketgen.transitions t
			join bucketgen.buckets b on b.no = t.bucket_no join bucketgen.contacts c on c.id = t.contact_id
			where not t.suppressed and c.user_id = d.usr and b.id = d.bucket and t.kind = d.kind and t.entry_count = d.entry_count)`,
		"deliveries out of order": `select count(*) from (
			select entry_count, max(entry_count) over (partition by usr, bucket, kind order by first) as highest from (
				select usr, bucket, kind, entry_count, min(seq) as first from public.delivered group by 1, 2, 3, 4) d) x where entry_count < highest`,
	} {
		if n := c.number(t, sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	t.Logf("%d events, %d transitions, %d deliveries", c.number(t, "select count(*) from bucketgen.events"),
		c.number(t, "select count(*) from bucketgen.transitions"), c.number(t, "select count(*) from public.delivered"))
	stop(t, e)
}

// drain waits until everything is delivered, for as long as that makes progress.
func (c *crashTest) drain(t *testing.T) {
	t.Helper()
	left := func() int { return c.number(t, "select count(*) from bucketgen.deliveries") }
	for before := left(); before > 0; before = left() {
		eventually(t, func() bool { return left() < before })
	}
}

// checkDeliveredOnce is for when nothing went wrong: then each transition was handled once.
func (c *crashTest) checkDeliveredOnce(t *testing.T) {
	t.Helper()
	if n := c.number(t, "select count(*) from (select key from public.delivered group by key having count(*) > 1) x"); n != 0 {
		t.Errorf("%d transitions were delivered more than once", n)
	}
}

func (c *crashTest) reconnect(t *testing.T) {
	t.Helper()
	c.pool.Reset() // connections of before a crash
	eventually(t, func() bool { return c.pool.Ping(t.Context()) == nil })
}

func (c *crashTest) number(t *testing.T, sql string) int {
	t.Helper()
	var n int
	if err := c.pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// checkJournals compares what was acknowledged with what is stored: nothing is lost and nothing is
// there twice.
func (c *crashTest) checkJournals(t *testing.T, want int) {
	t.Helper()
	stored := map[string]int{}
	rows, err := c.pool.Query(t.Context(), "select properties->>'key' from bucketgen.events where properties ? 'key'")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		stored[key]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	journals, err := filepath.Glob(filepath.Join(c.dir, "*.journal"))
	if err != nil || len(journals) != want {
		t.Fatalf("got %d journals, %v, want %d", len(journals), err, want)
	}
	for _, name := range journals {
		lines, err := journalLines(name)
		if err != nil {
			t.Fatal(err)
		}
		fate := map[string]string{}
		for _, l := range lines {
			fate[l.Key] = l.Op
		}
		for key, op := range fate {
			if times := map[string]int{"done": 1, "undone": 0}; op == "send" || stored[key] != times[op] {
				t.Errorf("event %s is %s, and stored %d times", key, op, stored[key])
			}
		}
	}
}

// checkAgainstReference plays the log of each user, in the order of arrival and at the times of
// arrival, against the reference evaluator, and compares every transition with its instant.
func (c *crashTest) checkAgainstReference(t *testing.T, until time.Time) {
	t.Helper()
	file, err := crashFile()
	if err != nil {
		t.Fatal(err)
	}
	steps, got := c.log(t), c.transitions(t, until)
	var group sync.WaitGroup
	var mu sync.Mutex
	for i := range crashUsers {
		group.Go(func() {
			user := "u" + itoa(i)
			var want []string
			for _, tr := range refeval.Run(file, steps[user], until).Transitions {
				want = append(want, fmt.Sprintf("%s %s %s %d %s %s %t", tr.At.UTC().Format(time.RFC3339Nano), tr.Kind, tr.Bucket, tr.EntryCount, tr.Source, tr.Reason, tr.Suppressed))
			}
			slices.Sort(want)
			mu.Lock()
			defer mu.Unlock()
			equal(t, "transitions of "+user, got[user], want)
		})
	}
	group.Wait()
}

func (c *crashTest) log(t *testing.T) map[string][]refeval.Action {
	t.Helper()
	rows, err := c.pool.Query(t.Context(), `select c.user_id, coalesce(n.name, ''), coalesce(e.properties::text, ''), coalesce(e.traits::text, ''), e.occurred_at, e.received_at
		from bucketgen.events e join bucketgen.contacts c on c.id = e.contact_id left join bucketgen.event_names n on n.no = e.event_no order by e.id`)
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string][]refeval.Action{}
	for rows.Next() {
		s := refeval.Action{Op: refeval.Ingest}
		var properties, traits string
		if err := rows.Scan(&s.User, &s.Name, &properties, &traits, &s.OccurredAt, &s.At); err != nil {
			t.Fatal(err)
		}
		s.Properties, s.Traits = []byte(properties), []byte(traits)
		steps[s.User] = append(steps[s.User], s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

func (c *crashTest) transitions(t *testing.T, until time.Time) map[string][]string {
	t.Helper()
	rows, err := c.pool.Query(t.Context(), `select c.user_id, t.at, t.kind, b.id, t.entry_count, t.source, coalesce(t.reason, ''), t.suppressed
		from bucketgen.transitions t join bucketgen.contacts c on c.id = t.contact_id join bucketgen.buckets b on b.no = t.bucket_no
		where b.id <> 'manual' and t.at <= $1`, until)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for rows.Next() {
		var user, kind, bucket, source, reason string
		var at time.Time
		var entryCount int
		var suppressed bool
		if err := rows.Scan(&user, &at, &kind, &bucket, &entryCount, &source, &reason, &suppressed); err != nil {
			t.Fatal(err)
		}
		got[user] = append(got[user], fmt.Sprintf("%s %s %s %d %s %s %t", at.UTC().Format(time.RFC3339Nano), kind, bucket, entryCount, source, reason, suppressed))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for user := range got {
		slices.Sort(got[user])
	}
	return got
}
