package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestStopDuringBackfill stops an engine while users follow a deployment, which would take another
// five minutes.
func TestStopDuringBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var events []engine.Event
	for i := range 300 {
		events = append(events, engine.Event{UserID: "u" + itoa(i), Name: "visit"})
	}
	ingestAll(t, w.Engine, events)
	e := startEngine(t, w.pool, registrytest.Build(t, dormant), engine.Config{NoDelivery: true, DeployPoll: time.Millisecond}, nil)
	if _, err := e.Deploy(t.Context(), engine.DeployOptions{Rate: 1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return w.count("select cursor_id from bucketgen.deployments where no = 2") > 0 })
	stop(t, e)
	equal(t, "finished", w.count("select count(*) from bucketgen.deployments where no = 2 and finished_at is not null"), 0)
}

// TestNewcomerDuringDeployment makes a contact by a statement that does not see the deployment yet,
// and decides by statements that do. Who is new cannot have matched before.
func TestNewcomerDuringDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	n := w.redefined(bucket.Define(bucket.Spec{ID: "idle", Criteria: visit.Within(bucket.Hour).Never()}))
	other, err := w.pool.Begin(t.Context())
	must(t, err)
	defer other.Rollback(context.WithoutCancel(t.Context()))
	_, err = other.Exec(t.Context(), "insert into bucketgen.contacts (user_id, created_at, updated_at) values ('ada', now(), now())")
	must(t, err)
	made := make(chan []string)
	go func() {
		defer close(made)
		tx, err := w.pool.Begin(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		results, err := n.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "other"})
		if err = errors.Join(err, tx.Commit(t.Context())); err != nil { // before the notification: the test may be over then
			t.Error(err)
			return
		}
		made <- brief(results[0].Transitions)
	}()
	eventually(t, func() bool { // it waits for the other to make the contact, or not
		return w.count("select count(*) from pg_locks where not granted and locktype = 'transactionid'") > 0
	})
	n.deploy(engine.DeployOptions{})
	must(t, other.Rollback(t.Context()))
	equal(t, "newcomer", <-made, []string{"entered idle 1"})
	n.backfill()
	equal(t, "later", n.history("ada"), []string{"entered idle 1"})
}

// TestClockLeavesAloneWhoIsToFollow lets something be due, in a bucket that is what a process has
// but was something else in between, for a user who is to follow that first, which the process
// cannot take them through.
func TestClockLeavesAloneWhoIsToFollow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	w.track("ada", "visit")
	w.track("ada", "visit")
	w.redefined(dormant).deploy(engine.DeployOptions{})
	n := w.redefined(regulars, dormant)
	n.deploy(engine.DeployOptions{})
	w.clock.Advance(bucket.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), waitfor.Long)
	defer cancel()
	if _, err := w.Clock().RunDue(ctx); err != nil {
		t.Errorf("got %v, want it to pass over ada", err)
	}
	equal(t, "ada is to follow", n.history("ada"), []string{"entered regulars 1"})
	n.settle()
	equal(t, "ada", n.history("ada"), []string{"entered regulars 1", "left regulars 1 by criteria"})
}

// TestFirstDeploymentWins starts two engines with different definitions at the same time, where
// nothing was ever deployed.
func TestFirstDeploymentWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.pool.Exec(t.Context(), "delete from bucketgen.deployments; update bucketgen.generation set no = 0")
	must(t, err)
	lock, err := w.pool.Begin(t.Context())
	must(t, err)
	defer lock.Rollback(context.WithoutCancel(t.Context()))
	_, err = lock.Exec(t.Context(), "select no from bucketgen.generation for update")
	must(t, err)
	started := make(chan error)
	for _, d := range []bucket.Definition{pro, dormant} {
		e, err := engine.New(w.pool, registrytest.Build(t, d), engine.Config{NoClock: true, NoDelivery: true})
		must(t, err)
		t.Cleanup(func() { stop(t, e) })
		go func() { started <- e.Start(t.Context()) }()
	}
	eventually(t, func() bool {
		return w.count("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 2
	})
	must(t, lock.Rollback(t.Context()))
	for range 2 {
		must(t, <-started)
	}
	equal(t, "deployments", w.count("select count(*) from bucketgen.deployments"), 1)
}

// TestDeploymentsComeInOrder deploys from a process whose clock is late, while users are still to
// follow what was deployed before: they follow one after the other.
func TestDeploymentsComeInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.clock.Advance(bucket.Day)
	w.redefined(pro).deploy(engine.DeployOptions{})
	late := func() time.Time { return w.clock.Now().Add(-bucket.Hour) }
	planned := bucket.Define(bucket.Spec{ID: "planned", Criteria: plan.Exists()})
	e := startEngine(t, w.pool, registrytest.Build(t, pro, planned), engine.Config{NoClock: true, NoDelivery: true, Now: late}, nil)
	if _, err := e.Deploy(t.Context(), engine.DeployOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Deployments().Backfill(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for tr, err := range e.History(t.Context(), "ada") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, tr.BucketID+" "+tr.At.Sub(epoch).String())
	}
	equal(t, "ada", got, []string{"pro 24h0m0s", "planned 24h0m0s"})
}

// meddler does something just before a statement is sent, once, after it was armed.
type meddler struct {
	sql   string
	do    func()
	armed atomic.Bool
}

func (m *meddler) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if data.SQL == m.sql && m.armed.CompareAndSwap(true, false) {
		m.do()
	}
	return ctx
}

func (m *meddler) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestUnknownDeploymentIsNotFinished deploys just after another process has read what is deployed,
// and before it asks for unfinished deployments: by what it knows no user is behind.
func TestUnknownDeploymentIsNotFinished(t *testing.T) {
	t.Parallel()
	m := &meddler{sql: db.DeploymentsUnfinished}
	w := &world{t: t, pool: traced(t, m), registry: registrytest.Build(t, pro), clock: newClock(epoch)}
	w.Engine = w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	w.identify("ada", map[string]any{"plan": "pro"})
	w.backfill()
	n := w.redefined(pro, bucket.Define(bucket.Spec{ID: "planned", Criteria: plan.Exists()}))
	m.do = func() { n.deploy(engine.DeployOptions{}) }
	m.armed.Store(true)
	equal(t, "the last that it knows", w.backfill().No, 1)
	equal(t, "unfinished", w.count("select count(*) from bucketgen.deployments where no = 2 and finished_at is null"), 1)
	n.backfill()
	equal(t, "ada", n.history("ada"), []string{"entered pro 1", "entered planned 1 suppressed"})
}

// TestDeploymentsAreReadWhole pauses and resumes a bucket while another process reads what is
// deployed.
func TestDeploymentsAreReadWhole(t *testing.T) {
	t.Parallel()
	m := &meddler{sql: db.BucketsDeployed}
	w := &world{t: t, pool: traced(t, m), registry: registrytest.Build(t, pro), clock: newClock(epoch)}
	w.Engine = w.start(engine.Config{NoClock: true, NoDelivery: true}, nil)
	conn, err := w.pool.Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	s, err := store.New(t.Context(), conn, store.DefaultSchema, w.registry.Tables(), 0, store.NameLimits{})
	must(t, err)
	m.do = func() {
		must(t, w.Deployments().Pause(t.Context(), w.ref("pro")))
		must(t, w.Deployments().Resume(t.Context(), w.ref("pro")))
	}
	m.armed.Store(true)
	d, err := s.Refresh(t.Context(), conn)
	must(t, err)
	equal(t, "deployment, and since when the bucket is as it is", []int32{d.No, d.Since(0)}, []int32{3, 3})
}
