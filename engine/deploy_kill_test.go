package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// Users of the kill test. Events of those up to killOwn come by processes that have what is
// deployed only, of the others by one that has the old definitions, too.
const (
	killUsers = 2000
	killOwn   = 1500
	kills     = 10
)

// TestDeploymentSurvivesKills deploys new and changed buckets to users with a history, from a
// process that is killed ten times while it deploys and lets users follow, each time at another
// moment; beside it processes ingest events, of which one is killed, too, and one has the old
// definitions. Afterwards everything must be as if no process had died: the reference evaluator,
// which shares no code with the engine, plays what was acknowledged, with the deployment at its
// instant.
func TestDeploymentSurvivesKills(t *testing.T) {
	t.Parallel()
	d := newDeployTest(t)
	d.history(t, killUsers)
	old := d.spawn(t, deployWorker{Definitions: oldOnes, Clock: true, Goroutines: 6, First: killOwn, Users: killUsers - killOwn, Late: true})
	deployer := deployWorker{ID: 1, Definitions: newOnes, Clock: true, Deploy: true, Rate: 300}
	running := d.spawn(t, deployer)
	ingester := deployWorker{ID: 2, Definitions: newOnes, Goroutines: 6, Users: killUsers, Late: true}
	other := deployWorker{ID: 3, Definitions: newOnes, Goroutines: 6, Users: killUsers, Late: true}
	var ingesting, others *exec.Cmd
	for n := range kills {
		d.moment(300)
		d.kill(t, running)
		deployer.Backfill = n%2 == 0
		running = d.spawn(t, deployer)
		if ingesting == nil { // they start once it is deployed
			d.await(t, 2)
			ingesting, others = d.spawn(t, ingester), d.spawn(t, other)
		} else if n%3 == 2 {
			d.kill(t, ingesting)
			ingesting = d.spawn(t, ingester)
		}
		if d.number(t, "select count(*) from bucketgen.deployments where no = 2 and finished_at is not null") > 0 {
			t.Errorf("the deployment was finished before kill %d: there was nothing to disturb", n+1)
		}
	}
	d.awaitNone(t, behind)
	for _, worker := range []*exec.Cmd{ingesting, others, old} {
		d.end(t, worker)
	}
	d.awaitFinished(t)
	d.end(t, running)
	until := time.Now().Truncate(time.Microsecond)
	d.settle(t, d.new, until)
	d.checkJournals(t, 18)
	d.checkAgainst(t, until)
	until = until.Add(2 * bucket.Hour) // when every minimal dwell is over
	d.settle(t, d.new, until)
	d.checkBuckets(t, until)
	d.checkWhole(t)
	t.Logf("%d events, %d transitions", d.number(t, "select count(*) from bucketgen.events"), d.number(t, "select count(*) from bucketgen.transitions"))
}

// deployTest is a database on which processes with different definitions work.
type deployTest struct {
	crashTest
	url      string
	old, new *ir.File
}

func newDeployTest(t *testing.T) *deployTest {
	t.Helper()
	d := &deployTest{url: pgtest.NewURL(t), crashTest: crashTest{dir: t.TempDir(), seed: uint64(time.Now().UnixNano())}}
	t.Logf("seed %d", d.seed)
	d.rng = rand.New(rand.NewPCG(d.seed, 0))
	pool, err := pgxpool.New(t.Context(), d.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	t.Cleanup(func() { d.report(t) })
	d.pool, d.old, d.new = pool, definitionsOf(t, oldOnes), definitionsOf(t, newOnes)
	return d
}

// report logs the progress of each process, if the test has failed.
func (d *deployTest) report(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		return
	}
	var state string
	err := d.pool.QueryRow(context.Background(), `select jsonb_pretty(jsonb_build_object(
		'deployments', (select jsonb_agg(to_jsonb(d) order by d.no) from bucketgen.deployments d),
		'processes', (select jsonb_agg(to_jsonb(p)) from bucketgen.processes p),
		'behind', (`+behind+`),
		'foreign', (select count(*) from bucketgen.due where bucket_no = 0),
		'sessions', (select jsonb_agg(jsonb_build_object('state', a.state, 'wait', a.wait_event, 'since', now() - a.xact_start, 'query', left(a.query, 100)))
			from pg_stat_activity a where a.datname = current_database() and a.pid <> pg_backend_pid()),
		'last events', (select max(received_at) from bucketgen.events),
		'last transition', (select max(at) from bucketgen.transitions)))`).Scan(&state)
	t.Log(state, err)
}

func definitionsOf(t *testing.T, name string) *ir.File {
	t.Helper()
	f, err := registrytest.IR(deployBuckets(name)...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// history lets users do things in the past hour, by the old definitions, of which nothing is due
// any more.
func (d *deployTest) history(t *testing.T, users int) {
	t.Helper()
	c := newClock(time.Now().Add(-bucket.Hour).Truncate(time.Microsecond))
	e := startEngine(t, d.pool, registrytest.FromIR(t, d.old), engine.Config{NoClock: true, NoDelivery: true, Now: c.Now, VirtualTime: true}, nil)
	if _, err := d.pool.Exec(t.Context(), "insert into bucketgen.subscriptions (name, kinds) values ('everything', '{entered,left}')"); err != nil {
		t.Fatal(err) // no engine delivers, so what is announced stays
	}
	for range 3 {
		var events []engine.Event
		for i := range users {
			past := time.Duration(d.rng.Int64N(int64(6 * bucket.Day)))
			if d.rng.IntN(4) == 0 {
				past += 8 * bucket.Day // so that nothing leaves the windows of a week by itself
			}
			ev := engine.Event{UserID: "u" + itoa(i), OccurredAt: c.Now().Add(-past)}
			switch d.rng.IntN(4) {
			case 0:
				ev.Traits = map[string]any{"plan": []string{"pro", "free", "team"}[d.rng.IntN(3)], "seats": []int{5, 10, 12, 20}[i%4]}
			case 1:
				ev.Name = "visit"
			default:
				ev.Name, ev.Properties = "purchase", map[string]any{"amount": 1 + d.rng.IntN(20)}
			}
			events = append(events, ev)
		}
		ingestAll(t, e, events)
		c.Advance(10 * bucket.Minute)
	}
	c.Advance(29 * bucket.Minute)
	if _, err := e.Clock().RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, e)
}

func (d *deployTest) spawn(t *testing.T, w deployWorker) *exec.Cmd {
	t.Helper()
	w.URL, w.Dir, w.Seed = d.url, d.dir, d.seed
	cmd, err := startWorker(deployVar, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // in vain, if all went well
		if ended := cmd.Wait(); t.Failed() {
			t.Logf("worker %d: %v, %v\n%s", w.ID, cmd.ProcessState, ended, cmd.Stderr)
		}
	})
	return cmd
}

// moment waits for a random one.
func (d *deployTest) moment(milliseconds int) {
	time.Sleep(time.Duration(d.rng.IntN(milliseconds)) * time.Millisecond) //nolint:forbidigo // a random moment is the point
}

func (d *deployTest) kill(t *testing.T, worker *exec.Cmd) {
	t.Helper()
	_ = worker.Process.Kill()
	err := worker.Wait()
	if status, ok := worker.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("a worker ended before it was killed: %v\n%s", err, worker.Stderr)
	}
}

func (d *deployTest) end(t *testing.T, worker *exec.Cmd) {
	t.Helper()
	_ = worker.Process.Signal(syscall.SIGTERM)
	if err := worker.Wait(); err != nil {
		t.Errorf("a worker failed: %v\n%s", err, worker.Stderr)
	}
}

func (d *deployTest) await(t *testing.T, deployment int) {
	t.Helper()
	eventually(t, func() bool { return d.number(t, "select no from bucketgen.generation") >= deployment })
}

// behind counts users who have not followed what is deployed.
const behind = `select count(*) from bucketgen.contacts where generation < (select no from bucketgen.generation)`

// awaitFinished waits until every deployment is finished, and no user has to be evaluated because
// of foreign processes.
func (d *deployTest) awaitFinished(t *testing.T) {
	t.Helper()
	d.awaitNone(t, behind)
	d.awaitNone(t, `select count(*) from bucketgen.due where bucket_no = 0`)
	d.awaitNone(t, `select count(*) from bucketgen.deployments where finished_at is null`)
}

// awaitNone waits until there is none of what a query counts, for as long as that makes progress.
func (d *deployTest) awaitNone(t *testing.T, sql string) {
	t.Helper()
	for before := d.number(t, sql); before > 0; before = d.number(t, sql) {
		eventually(t, func() bool { return d.number(t, sql) < before })
	}
}

// settle does what is due until an instant, and nothing that is due later, by definitions that are
// deployed.
func (d *deployTest) settle(t *testing.T, deployed *ir.File, until time.Time) {
	t.Helper()
	now := func() time.Time { return until }
	e := startEngine(t, d.pool, registrytest.FromIR(t, deployed), engine.Config{NoClock: true, NoDelivery: true, Now: now, VirtualTime: true}, nil)
	if _, err := e.Clock().RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, e)
}

// story is what happened to a user, with the deployment in its place.
type story struct {
	steps    []refeval.Action
	foreign  bool // processes with other definitions than those that are deployed took a part
	followed bool // before they did since the deployment
}

func (d *deployTest) stories(t *testing.T) map[string]story {
	t.Helper()
	deploy := refeval.Action{Op: refeval.Deploy, Definitions: d.new, Emit: refeval.Leaves}
	if err := d.pool.QueryRow(t.Context(), "select at from bucketgen.deployments where no = 2").Scan(&deploy.At); err != nil {
		t.Fatal(err)
	}
	by := func(s refeval.Action, name string) bool {
		return bytes.Contains(s.Properties, []byte(`"by": "`+name+`"`))
	}
	stories := map[string]story{}
	for user, steps := range d.log(t) {
		at := slices.IndexFunc(steps, func(s refeval.Action) bool { return s.At.After(deploy.At) })
		if at < 0 {
			at = len(steps)
		}
		stories[user] = story{
			steps:    slices.Insert(slices.Clone(steps), at, deploy),
			foreign:  slices.ContainsFunc(steps, func(s refeval.Action) bool { return by(s, oldOnes) }),
			followed: at < len(steps) && by(steps[at], newOnes),
		}
	}
	return stories
}

// checkAgainst compares every transition with the reference. Where foreign processes took a part it
// is known only how often a user came to match what does not cease to hold by itself, and how that
// was announced if the user had followed before.
func (d *deployTest) checkAgainst(t *testing.T, until time.Time) {
	t.Helper()
	got, exact, followed := d.transitions(t, until), 0, 0
	var mu sync.Mutex
	each(d.stories(t), func(user string, s story) {
		want := lines(refeval.Run(d.old, s.steps, until).Transitions)
		mu.Lock()
		defer mu.Unlock()
		if !s.foreign {
			exact++
			equal(t, "transitions of "+user, got[user], want)
			return
		}
		for _, bucket := range []string{"large", "spender", "ordered", "frequent"} {
			have, want := entries(got[user], bucket), entries(want, bucket)
			switch {
			case s.followed:
				followed++
				equal(t, user+" enters "+bucket, have, want)
			case bucket != "frequent": // which a foreign process may keep users in who were to leave it
				equal(t, user+" enters "+bucket+" so often", len(have), len(want))
			}
		}
	})
	if exact < killOwn || followed == 0 {
		t.Errorf("%d users were compared exactly, and %d entries of others, which says too little", exact, followed)
	}
}

// checkBuckets compares what is true of every user in the end.
func (d *deployTest) checkBuckets(t *testing.T, until time.Time) {
	t.Helper()
	active := d.active(t)
	var mu sync.Mutex
	each(d.stories(t), func(user string, s story) {
		var want []string
		for _, stay := range refeval.Run(d.old, s.steps, until).Stays {
			if stay.LeftAt.IsZero() {
				want = append(want, stay.Bucket)
			}
		}
		slices.Sort(want)
		mu.Lock()
		defer mu.Unlock()
		equal(t, "buckets of "+user, active[user], want)
	})
}

// each does something with every user, with two at once.
func each(stories map[string]story, do func(string, story)) {
	var group sync.WaitGroup
	users := slices.Collect(maps.Keys(stories))
	for part := range slices.Chunk(users, len(users)/2+1) {
		group.Go(func() {
			for _, user := range part {
				do(user, stories[user])
			}
		})
	}
	group.Wait()
}

func lines(transitions []refeval.Transition) []string {
	var all []string
	for _, tr := range transitions {
		all = append(all, fmt.Sprintf("%s %s %s %d %s %s %t", tr.At.UTC().Format(time.RFC3339Nano), tr.Kind, tr.Bucket, tr.EntryCount, tr.Source, tr.Reason, tr.Suppressed))
	}
	slices.Sort(all)
	return all
}

// entries returns how a user came into a bucket: the entry counts, the sources, and whether it was
// announced.
func entries(transitions []string, bucket string) []string {
	var all []string
	for _, line := range transitions {
		if _, how, entered := strings.Cut(line, " entered "+bucket+" "); entered {
			all = append(all, how)
		}
	}
	return all
}

func (d *deployTest) active(t *testing.T) map[string][]string {
	t.Helper()
	rows, err := d.pool.Query(t.Context(), `select c.user_id, b.id from bucketgen.memberships m join bucketgen.contacts c on c.id = m.contact_id
		join bucketgen.buckets b on b.no = m.bucket_no where m.left_at is null order by b.id collate "C"`)
	if err != nil {
		t.Fatal(err)
	}
	active := map[string][]string{}
	for rows.Next() {
		var user, bucket string
		if err := rows.Scan(&user, &bucket); err != nil {
			t.Fatal(err)
		}
		active[user] = append(active[user], bucket)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return active
}

// checkWhole checks what must be so whatever happened.
func (d *deployTest) checkWhole(t *testing.T) {
	t.Helper()
	for what, sql := range map[string]string{
		"users who have not followed": `select count(*) from bucketgen.contacts
			where generation < (select no from bucketgen.generation) or foreign_generation is not null`,
		"memberships whose entry counts have a gap": `select count(*) from (
			select count(*) n, max(entry_count) m from bucketgen.memberships group by contact_id, bucket_no) x where n <> m`,
		"memberships without exactly one entry": `select count(*) from bucketgen.memberships m where 1 <> (
			select count(*) from bucketgen.transitions t where t.membership_id = m.id and t.kind = 'entered' and t.at = m.entered_at)`,
		"memberships without a leave for each end": `select count(*) from bucketgen.memberships m where (m.left_at is not null)::int <> (
			select count(*) from bucketgen.transitions t where t.membership_id = m.id and t.kind = 'left' and t.at = m.left_at)`,
		"transitions that are not announced as often as they should be": `select count(*) from bucketgen.transitions t where (not t.suppressed)::int <> (
			select count(*) from bucketgen.deliveries d where d.transition_id = t.id)`,
	} {
		if n := d.number(t, sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}
