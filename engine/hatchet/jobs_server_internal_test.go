//go:build hatchet

package hatchet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

const jobUsers = 3000

// grown makes a database in which users have a history with the old definitions, and deploys the
// new ones.
func grown(t *testing.T, rate int) (url string, pool *pgxpool.Pool, deployed *engine.Engine) {
	t.Helper()
	url = pgtest.NewURL(t)
	pool = pgtest.Open(t, url)
	begin := func(name string) *engine.Engine {
		e, err := engine.New(pool, registrytest.Build(t, definitions(name)...), engine.Config{NoClock: true, NoDelivery: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Stop(context.Background()) })
		return e
	}
	e := begin(oldOnes)
	var group sync.WaitGroup
	const workers = 50
	for w := range workers {
		group.Go(func() {
			for u := w; u < jobUsers; u += workers {
				for range 1 + u%2 { // the new bucket is for those who came twice
					if _, err := e.Ingest(t.Context(), engine.Event{UserID: fmt.Sprintf("u%04d", u), Name: "visit"}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	deployed = begin(newOnes)
	if _, err := deployed.Deploy(t.Context(), engine.DeployOptions{Rate: rate}); err != nil {
		t.Fatal(err)
	}
	return url, pool, deployed
}

const (
	behind    = `select count(*) from bucketgen.contacts where generation < (select no from bucketgen.generation)`
	followers = `select id || ' ' || xmin::text from bucketgen.contacts where generation = (select no from bucketgen.generation) order by id`
	joined    = `select c.user_id || ' ' || b.id || ' ' || m.entry_count || ' ' || (m.left_at is null) from bucketgen.memberships m
		join bucketgen.contacts c on c.id = m.contact_id join bucketgen.buckets b on b.no = m.bucket_no order by 1`
)

// TestHatchetBackfillSurvivesKill kills the process of a backfill when half of all users have
// followed. The next process goes on with those who have not, and it ends as an undisturbed
// backfill does.
func TestHatchetBackfillSurvivesKill(t *testing.T) {
	useHatchet(t)
	_, calm, undisturbed := grown(t, 0)
	if _, err := undisturbed.Deployments().Backfill(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	url, pool, _ := grown(t, 1000)
	p := process{Name: "backfiller", URL: url, Definitions: newOnes, Slowly: true}
	first := p.spawn(t, nil)
	eventually(t, 2*time.Minute, "half of all users have followed", func() bool { return number(t, pool, behind) <= jobUsers/2 })
	first.kill(t)
	half := lines(t, pool, followers)
	if left := number(t, pool, behind); left == 0 {
		t.Fatal("everybody had followed before it was killed")
	}
	p.spawn(t, nil)
	eventually(t, 3*time.Minute, "the backfill is finished", func() bool {
		return number(t, pool, "select count(*) from bucketgen.deployments where finished_at is null") == 0
	})
	// Who had followed was not touched again: their rows are the same versions.
	now := map[string]bool{}
	for _, line := range lines(t, pool, followers) {
		now[line] = true
	}
	again := 0
	for _, line := range half {
		if !now[line] {
			again++
		}
	}
	t.Logf("%d had followed when it was killed", len(half))
	if again > 0 {
		t.Errorf("%d of %d users who had followed were evaluated again", again, len(half))
	}
	want := lines(t, calm, joined)
	if diff := cmp.Diff(want, lines(t, pool, joined)); diff != "" || len(want) != jobUsers/2 {
		t.Errorf("%d memberships; -undisturbed +killed\n%s", len(want), diff)
	}
}

// TestHatchetReconcile asks for a reconciliation by an event, and one repairs what was spoilt.
func TestHatchetReconcile(t *testing.T) {
	useHatchet(t)
	w := newWorld(t, lapsed)
	w.start(t, engine.Config{NoJobs: true}, Config{})
	w.ingest(t, plans("ada", "lapsed"), plans("bob", "pro"))
	spoil := `update bucketgen.contacts set properties = '{"plan": "lapsed"}', version = version + 1 where user_id = 'bob'`
	if _, err := w.pool.Exec(t.Context(), spoil); err != nil {
		t.Fatal(err)
	}
	if err := w.adapter.client.push.Event().Push(t.Context(), reconcileEvent, map[string]any{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "bob is a member", func() bool {
		return number(t, w.pool, "select count(*) from bucketgen.memberships where left_at is null") == 2
	})
	if got := number(t, w.pool, "select count(*) from bucketgen.transitions where source = 'reconcile'"); got != 1 {
		t.Errorf("%d transitions by the reconciliation, want 1", got)
	}
}

// TestHatchetJobsQueue asks for three reconciliations while another transaction holds the lock of a
// user, so that the first cannot end. The others wait for it, so each has one of its own: two at
// once would have shared one. None is cancelled.
func TestHatchetJobsQueue(t *testing.T) {
	useHatchet(t)
	w := newWorld(t, lapsed)
	from := listen(t, "sentinel")
	w.start(t, engine.Config{NoJobs: true}, Config{})
	w.ingest(t, plans("ada", "lapsed"))
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "select from bucketgen.contacts for no key update"); err != nil {
		t.Fatal(err)
	}
	const asked = 3
	for _, event := range append(slices.Repeat([]string{reconcileEvent}, asked), "sentinel") {
		if err := w.adapter.client.push.Event().Push(t.Context(), event, map[string]any{}); err != nil {
			t.Fatal(err)
		}
	}
	waitfor.Next(t, from) // by now Hatchet has given out whatever it would
	const finished = "select count(*) from bucketgen.reconciliations where finished_at is not null"
	eventually(t, time.Minute, "one is under way", func() bool {
		return number(t, w.pool, "select count(*) from bucketgen.reconciliations") == 1
	})
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "all three are done", func() bool { return number(t, w.pool, finished) == asked })
}

func lines(t testing.TB, pool *pgxpool.Pool, sql string) []string {
	t.Helper()
	rows, err := pool.Query(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}
