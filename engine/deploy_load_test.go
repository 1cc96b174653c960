package engine_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

var deployLoad = flag.Duration("deploy.load", 6*time.Second, "how long processes with old and new definitions work beside each other")

// Users of the load test. The first of them never change seats.
const loadUsers, loadSteady = 300, 80

// TestNothingFlaps lets processes with old and new definitions ingest events of the same users,
// each with its clock. A process starts with the old ones when the new ones are deployed already,
// another with some that never are; a bucket is paused and resumed; at last the old definitions are
// deployed again. No user may leave and join a bucket whose truth by what is deployed has not
// changed, and in the end everything must be true.
func TestNothingFlaps(t *testing.T) {
	t.Parallel()
	d := newDeployTest(t)
	d.history(t, loadUsers)
	worker := func(id int, definitions string, deploy bool) *exec.Cmd {
		return d.spawn(t, deployWorker{
			ID: id, Definitions: definitions, Deploy: deploy, Clock: true, Goroutines: 3, Users: loadUsers, Steady: loadSteady,
		})
	}
	workers := []*exec.Cmd{worker(1, oldOnes, false), worker(2, newOnes, true)}
	d.await(t, 2)
	workers = append(workers, worker(3, oldOnes, false), worker(4, otherOnes, false))
	d.awaitMove(t, 2)
	linger(*deployLoad / 2)
	e := startEngine(t, d.pool, registrytest.FromIR(t, d.new), engine.Config{NoClock: true, NoDelivery: true}, nil)
	seated := registrytest.Ref(t, registrytest.FromIR(t, d.new), "seated")
	must(t, e.Deployments().Pause(t.Context(), seated))
	paused := time.Now()
	linger(*deployLoad / 4)
	must(t, e.Deployments().Resume(t.Context(), seated))
	d.awaitMove(t, 4)
	linger(*deployLoad / 4)
	d.endAll(t, workers)
	until := time.Now().Add(10 * bucket.Second).Truncate(time.Microsecond) // when nothing is recent any more
	d.settle(t, d.new, until)
	deployed, again := d.deployment(t, 2), d.deployment(t, 4)
	d.checkTrue(t, d.new, until, "sticky")
	d.checkMoves(t, d.new, "", deployed.finished, time.Now(), "sticky", "vip", "seated")
	d.checkMoves(t, d.new, "seated", deployed.finished, d.deployment(t, 3).at)
	d.checkMoves(t, d.new, "seated", again.finished, time.Now())
	equal(t, "moves while paused", d.moves(t, "seated", paused.Add(time.Second), again.at), 0)
	d.checkSteady(t, deployed.at, time.Now())

	workers = []*exec.Cmd{worker(5, newOnes, false), worker(6, oldOnes, true)}
	d.await(t, 5)
	d.awaitMove(t, 5)
	linger(*deployLoad / 4)
	d.endAll(t, workers)
	back := d.deployment(t, 5)
	d.checkMoves(t, d.old, "", back.finished, time.Now(), "sticky")
	d.checkSteady(t, back.at, time.Now())
	until = time.Now().Add(2 * bucket.Hour).Truncate(time.Microsecond) // when every minimal dwell is over
	d.settle(t, d.old, until)
	d.checkTrue(t, d.old, until)
	t.Logf("%d events, %d transitions", d.number(t, "select count(*) from bucketgen.events"), d.number(t, "select count(*) from bucketgen.transitions"))
}

// linger lets processes work for a while.
func linger(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // that they have time is the point

// awaitMove waits until every user has followed a deployment, and one has joined or left a bucket
// since.
func (d *deployTest) awaitMove(t *testing.T, no int) {
	t.Helper()
	d.awaitNone(t, "select count(*) from bucketgen.deployments where finished_at is null")
	since := d.deployment(t, no).finished
	eventually(t, func() bool { return d.moves(t, "seated", since, time.Now()) > 0 })
}

func (d *deployTest) endAll(t *testing.T, workers []*exec.Cmd) {
	t.Helper()
	idle := d.spawn(t, deployWorker{ID: 9, Definitions: newOnes, Clock: true})
	back := d.spawn(t, deployWorker{ID: 10, Definitions: oldOnes, Clock: true})
	for _, w := range workers {
		d.end(t, w)
	}
	d.awaitFinished(t) // by whichever of them has what is deployed
	d.end(t, idle)
	d.end(t, back)
}

// stage is when something was deployed, and when everybody had followed.
type stage struct{ at, finished time.Time }

func (d *deployTest) deployment(t *testing.T, no int) stage {
	t.Helper()
	var s stage
	if err := d.pool.QueryRow(t.Context(), "select at, finished_at from bucketgen.deployments where no = $1", no).Scan(&s.at, &s.finished); err != nil {
		t.Fatal(err)
	}
	return s
}

// checkTrue checks that users are in those buckets of which the criteria holds.
func (d *deployTest) checkTrue(t *testing.T, deployed *ir.File, now time.Time, but ...string) {
	t.Helper()
	active := d.active(t)
	for user, steps := range d.log(t) {
		facts := factsOf(t, user, steps)
		for _, bucket := range active[user] {
			facts.Members[bucket] = true
		}
		for _, def := range deployed.Definitions {
			if got, want := facts.Members[def.ID], refeval.Holds(def.Criteria, facts, now); got != want && !slices.Contains(but, def.ID) {
				t.Errorf("%s is in %s: got %t, want %t", user, def.ID, got, want)
			}
		}
	}
}

// checkMoves checks that each user who joined or left a bucket, or any, had come to match, or
// ceased to. If the user did something at that very instant, it may have been true before or after.
func (d *deployTest) checkMoves(t *testing.T, deployed *ir.File, only string, from, until time.Time, but ...string) {
	t.Helper()
	criteria := map[string]*ir.Node{}
	for _, def := range deployed.Definitions {
		if (only == "" || only == def.ID) && !slices.Contains(but, def.ID) {
			criteria[def.ID] = def.Criteria
		}
	}
	log := d.log(t)
	rows, err := d.pool.Query(t.Context(), `select c.user_id, b.id, t.kind, t.at, t.source, t.entry_count from bucketgen.transitions t
		join bucketgen.contacts c on c.id = t.contact_id join bucketgen.buckets b on b.no = t.bucket_no
		where t.at > $1 and t.at < $2 and b.id = any ($3) order by t.id`, from, until, slices.Collect(maps.Keys(criteria)))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for rows.Next() {
		var user, bucket, kind, source string
		var at time.Time
		var entryCount int
		if err := rows.Scan(&user, &bucket, &kind, &at, &source, &entryCount); err != nil {
			t.Fatal(err)
		}
		checked++
		steps, want := log[user], kind == "entered"
		before := slices.IndexFunc(steps, func(s refeval.Action) bool { return !s.At.Before(at) })
		if before < 0 {
			before = len(steps)
		}
		for n := before; refeval.Holds(criteria[bucket], factsOf(t, user, steps[:n]), at) != want; n++ {
			if n == len(steps) || steps[n].At.After(at) {
				t.Errorf("%s %s %s at %s by %s, for the %d. time: its truth by what is deployed was %t", user, kind, bucket, at, source, entryCount, !want)
				break
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if checked == 0 {
		t.Errorf("no user moved between %s and %s", from, until)
	}
}

// moves counts those who joined or left a bucket.
func (d *deployTest) moves(t *testing.T, bucket string, from, until time.Time) (n int) {
	t.Helper()
	err := d.pool.QueryRow(t.Context(), `select count(*) from bucketgen.transitions t join bucketgen.buckets b on b.no = t.bucket_no
		where b.id = $1 and t.at > $2 and t.at < $3`, bucket, from, until).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkSteady checks that users whose property never changes join or leave its bucket once at most:
// when it is deployed.
func (d *deployTest) checkSteady(t *testing.T, from, until time.Time) {
	t.Helper()
	for i := range loadSteady {
		user := "u" + itoa(i)
		var n int
		err := d.pool.QueryRow(t.Context(), `select count(*) from bucketgen.transitions t join bucketgen.buckets b on b.no = t.bucket_no
			join bucketgen.contacts c on c.id = t.contact_id where b.id = 'seated' and c.user_id = $1 and t.at >= $2 and t.at < $3`, user, from, until).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 1 {
			t.Errorf("%s, who always has the same seats, moved %d times since %s", user, n, from)
		}
	}
}

// factsOf returns what is known of a user after some steps, of which none is late.
func factsOf(t *testing.T, user string, steps []refeval.Action) *refeval.Facts {
	t.Helper()
	f := &refeval.Facts{User: user, Properties: map[string]any{}, Members: map[string]bool{}}
	dated := map[string]time.Time{} // the newest date of each property: an older value that arrives later does not count
	for _, s := range steps {
		payload, traits := map[string]any{}, map[string]any{}
		if len(s.Properties) > 0 {
			must(t, json.Unmarshal(s.Properties, &payload))
		}
		if len(s.Traits) > 0 {
			must(t, json.Unmarshal(s.Traits, &traits))
		}
		if s.Name != "" {
			f.Events = append(f.Events, refeval.Event{Name: s.Name, At: s.OccurredAt, Properties: payload})
		}
		for key, value := range traits {
			if s.OccurredAt.Before(dated[key]) {
				continue
			}
			dated[key] = s.OccurredAt
			if f.Properties[key] = value; value == nil {
				delete(f.Properties, key)
			}
		}
	}
	return f
}
