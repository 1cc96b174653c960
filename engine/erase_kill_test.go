package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// eraseVar is the environment variable that makes this test binary a process that takes in events
// of users who are being erased, and does the jobs that erase them.
const eraseVar = "BUCKETGEN_ERASE_WORKER"

// eraseWorker is such a process, until it is killed or interrupted.
type eraseWorker struct {
	URL        string
	Users      int
	Goroutines int
}

// goneUser names a user who is erased.
func goneUser(i int) string { return fmt.Sprintf("gone77-%d", i) }

func eraseWorkerMain(config string) error {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // failures are what this is about
	var w eraseWorker
	if err := json.Unmarshal([]byte(config), &w); err != nil {
		return err
	}
	ctx, stopped := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stopped()
	pool, err := pgxpool.New(ctx, w.URL)
	if err != nil {
		return err
	}
	r, err := registrytest.Of(pro, regulars, dormant)
	if err != nil {
		return err
	}
	e, err := engine.New(pool, r, engine.Config{SuppressionSecret: secret, Lease: time.Second, JobWorkers: 1})
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // the test waits for it
	var group sync.WaitGroup
	errs := make([]error, w.Goroutines)
	for g := range w.Goroutines {
		group.Go(func() {
			for ctx.Err() == nil {
				user := goneUser(rand.IntN(w.Users))
				_, err := e.Ingest(ctx, engine.Event{UserID: user, Name: "visit", Traits: map[string]any{"plan": "pro", "note": user}})
				if err != nil && ctx.Err() == nil {
					errs[g] = err
					return
				}
			}
		})
	}
	group.Wait()
	bounded, cancel := context.WithTimeout(context.Background(), waitfor.Long)
	defer cancel()
	return errors.Join(errors.Join(errs...), e.Stop(bounded))
}

// TestEraseJobSurvivesKills erases and suppresses users by a job of three processes, of which 66
// goroutines send events of these users meanwhile, and kills a process again and again. The job
// goes on where it was, and no row of the users is left (B6, B8).
func TestEraseJobSurvivesKills(t *testing.T) {
	t.Parallel()
	const processes, users = 3, 300
	pool, r := pgtest.New(t), registrytest.Build(t, pro, regulars, dormant)
	w := &world{t: t, pool: pool, registry: r}
	w.Engine = startEngine(t, pool, r, engine.Config{SuppressionSecret: secret, NoJobs: true, NoClock: true, NoDelivery: true}, nil)
	ids, events := make([]string, users), make([]engine.Event, users)
	for i := range ids {
		ids[i] = goneUser(i)
		events[i] = engine.Event{UserID: ids[i], Traits: map[string]any{"plan": "pro"}}
	}
	_, err := w.IngestBatch(t.Context(), events)
	must(t, err)
	workers := make([]*exec.Cmd, processes)
	spawn := func(i int) {
		workers[i], err = startWorker(eraseVar, eraseWorker{URL: pool.Config().ConnString(), Users: users, Goroutines: 22})
		must(t, err)
	}
	for i := range workers {
		spawn(i)
	}
	j, err := w.People().EraseAll(t.Context(), ids, engine.BulkOptions{EraseOptions: engine.EraseOptions{Suppress: true}, Rate: 100})
	must(t, err)
	left := func() int { return w.count("select count(*) from bucketgen.job_users") }
	for i := range workers {
		eventually(t, func() bool { return left() < users*(processes-i)/(processes+1) })
		_ = workers[i].Process.Kill()
		_ = workers[i].Wait()
		spawn(i)
	}
	j = w.finished(t, j.ID)
	equal(t, "result", []int64{j.Erase.Asked, j.Erase.Erased}, []int64{users, users})
	for _, cmd := range workers {
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, cmd.Stderr)
		}
	}
	equal(t, "traces", w.traces("gone77-"), []string{"hidings.user_id"})
	equal(t, "contacts", w.count("select count(*) from bucketgen.contacts"), 0)
	equal(t, "state", j.State, bucketgen.JobDone)
	w.checkNoOrphans(t)
}
