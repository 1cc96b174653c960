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

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// outboxVar is the environment variable that makes this test binary a process that delivers.
const outboxVar = "BUCKETGEN_OUTBOX_WORKER"

// outboxWorker is a process that delivers until it is killed or interrupted.
type outboxWorker struct {
	URL   string
	Lease time.Duration
}

func outboxWorkerMain(config string) error {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // failures are what this is about
	var w outboxWorker
	if err := json.Unmarshal([]byte(config), &w); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	pool, err := pgxpool.New(ctx, w.URL)
	if err != nil {
		return err
	}
	r, err := registrytest.Of(pro)
	if err != nil {
		return err
	}
	e, err := engine.New(pool, r, engine.Config{NoClock: true, DeliveryPoll: 5 * time.Millisecond, DeliveryWorkers: 4, Lease: w.Lease})
	if err != nil {
		return err
	}
	ref, _ := r.Ref("pro")
	err = e.OnTransition(ref, engine.TransitionHandler{Name: "all", MaxAttempts: 1 << 20, Func: func(ctx context.Context, t engine.Transition) error {
		if rand.IntN(100) < 2 {
			return errors.New("not now")
		}
		_, err := pool.Exec(ctx, "insert into public.delivered (usr, entry_count, kind, fence) values ($1, $2, $3, $4)", t.UserID, t.EntryCount, string(t.Kind), t.Fence)
		return err
	}})
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // the test waits for it
	<-ctx.Done()
	bounded, cancel := context.WithTimeout(context.Background(), waitfor.Long)
	defer cancel()
	return e.Stop(bounded)
}

// TestNoKeyIsLeftWithoutAHead kills processes that deliver while others insert what comes behind
// it, and while the bucket is paused and resumed: whatever meets, no delivery stays marked behind
// one that is gone, each comes, and in order.
func TestNoKeyIsLeftWithoutAHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	w.Engine = startEngine(t, w.pool, w.registry, engine.Config{NoClock: true, NoDelivery: true}, func(e *engine.Engine) {
		must(t, e.OnTransition(w.ref("pro"), engine.TransitionHandler{Name: "all", Func: make(inbox).handle}))
	})
	execSQL(t, w, `create table public.delivered (seq bigserial, usr text, entry_count integer, kind text, fence bigint)`)
	const processes, users, rounds, kills = 3, 8, 60, 6
	var mu sync.Mutex
	workers := make([]*exec.Cmd, processes)
	spawn := func(i int) {
		cmd, err := startWorker(outboxVar, outboxWorker{URL: w.pool.Config().ConnString(), Lease: time.Second})
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		workers[i] = cmd
	}
	for i := range processes {
		spawn(i)
	}
	var group sync.WaitGroup
	for u := range users { // one after the other of each user, so that what is delivered meets what is inserted
		group.Go(func() {
			for i := range 2 * rounds {
				_, err := w.Ingest(t.Context(), engine.Event{UserID: "u" + itoa(u), Traits: map[string]any{"plan": []string{"pro", "free"}[i%2]}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	delivered := func() int { return w.count("select count(*) from public.delivered") }
	group.Go(func() {
		for n := range kills {
			before := delivered()
			eventually(t, func() bool {
				return delivered() >= before+20 || n > 0 && w.count("select count(*) from bucketgen.deliveries") == 0
			})
			i := n % processes
			_ = workers[i].Process.Kill()
			_ = workers[i].Wait()
			if n%2 == 1 {
				if err := errors.Join(w.Deployments().Pause(t.Context(), w.ref("pro")), w.Deployments().Resume(t.Context(), w.ref("pro"))); err != nil {
					t.Error(err)
				}
			}
			spawn(i)
		}
	})
	group.Wait()
	left := func() int { return w.count("select count(*) from bucketgen.deliveries") }
	for before := left(); before > 0; before = left() {
		eventually(t, func() bool { return left() < before })
	}
	for _, cmd := range workers {
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, cmd.Stderr)
		}
	}
	for what, sql := range map[string]string{
		"transitions were not delivered": `select count(*) from bucketgen.transitions t join bucketgen.contacts c on c.id = t.contact_id
			where not t.suppressed and not exists (select from public.delivered d where d.usr = c.user_id and d.entry_count = t.entry_count and d.kind = t.kind)`,
		"first deliveries came after a later transition": `select count(*) from (
			select place, max(place) over (partition by usr order by first) as highest from (
				select usr, 2 * entry_count + (kind = 'left')::integer as place, min(seq) as first from public.delivered group by 1, 2) d) x where place < highest`,
		"deliveries have a fence that is not above those of earlier transitions": `select count(*) from public.delivered d where exists (
			select from public.delivered e where e.usr = d.usr and 2 * e.entry_count + (e.kind = 'left')::integer < 2 * d.entry_count + (d.kind = 'left')::integer and e.fence >= d.fence)`,
	} {
		if n := w.count(sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	t.Logf("%d transitions, %d deliveries", w.count("select count(*) from bucketgen.transitions"), delivered())
}
