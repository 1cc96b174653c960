package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// deployVar is the environment variable that makes this test binary a worker of the tests of
// deployments under load.
const deployVar = "BUCKETGEN_DEPLOY_WORKER"

// The definitions that workers have.
const (
	oldOnes   = "old"
	newOnes   = "new"
	otherOnes = "other" // which are never deployed
)

// deployBuckets are definitions under a name. From old to new, pro stays as it is, others change,
// most are new.
func deployBuckets(name string) []bucket.Definition {
	pro := bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")})
	define := func(id string, c bucket.Criteria) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: id, Criteria: c})
	}
	recent := func(d time.Duration) bucket.Definition { return define("recent", visit.Within(d).Exists()) }
	sticky := func(c bucket.Criteria) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: "sticky", Criteria: c, MinDwell: 55 * bucket.Minute})
	}
	amount := purchase.Number("amount")
	switch name {
	case oldOnes:
		return []bucket.Definition{
			pro, recent(300 * time.Millisecond), sticky(plan.In("pro", "team")),
			define("seated", seats.AtLeast(10)), define("frequent", visit.Within(bucket.Week).AtLeast(2)),
		}
	case newOnes:
		return []bucket.Definition{
			pro, recent(500 * time.Millisecond), sticky(plan.Is("team")),
			define("seated", bucket.Any(seats.AtLeast(15), seats.Is(5))), define("frequent", visit.Within(bucket.Week).AtLeast(4)),
			define("large", purchase.Where(amount.AtLeast(10)).Within(bucket.Week).AtLeast(2)),
			define("spender", purchase.Within(bucket.Week).Sum(amount).AtLeast(35)),
			define("ordered", visit.ThenWithin(2*bucket.Day, purchase).Exists()),
			bucket.Define(bucket.Spec{ID: "first", Criteria: plan.Is("free"), Entry: bucket.Once()}),
			define("vip", bucket.All(bucket.InBucket("seated"), bucket.InBucket("frequent"))),
		}
	default:
		return []bucket.Definition{
			pro, define("seated", seats.AtLeast(12)), define("large", purchase.Where(amount.AtLeast(3)).Within(bucket.Week).AtLeast(1)),
		}
	}
}

// deployWorker is a process of the tests of deployments under load. It works until its test stops
// or kills it.
type deployWorker struct {
	URL         string
	Dir         string // of the journals
	ID          int
	Seed        uint64
	Definitions string
	Clock       bool
	Deploy      bool // first of all
	Rate        int  // of the deployment
	Backfill    bool // asks for it, and does not wait until the engine does so by itself

	Goroutines   int // that ingest
	First, Users int // whose events they ingest
	Steady       int // the number of those, from the first on, that never change seats
	Late         bool

	engine *engine.Engine
}

// deployWorkerMain is the main function of a worker process.
func deployWorkerMain(config string) error {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // processes that disagree are what this is about
	w := &deployWorker{}
	if err := json.Unmarshal([]byte(config), w); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r, err := registrytest.Of(deployBuckets(w.Definitions)...)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, w.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	if w.engine, err = engine.New(pool, r, engine.Config{NoClock: !w.Clock, NoDelivery: true, ClockPoll: 5 * time.Millisecond, DeployPoll: 20 * time.Millisecond}); err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // the test waits for it
	if err := w.begin(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	var group sync.WaitGroup
	errs := make([]error, w.Goroutines)
	for g := range w.Goroutines {
		group.Go(func() { errs[g] = w.ingest(ctx, g) })
	}
	group.Wait()
	<-ctx.Done()
	bounded, cancel := context.WithTimeout(context.Background(), waitfor.Long)
	defer cancel()
	return errors.Join(errors.Join(errs...), w.engine.Stop(bounded))
}

func (w *deployWorker) begin(ctx context.Context) error {
	if w.Deploy {
		if _, err := w.engine.Deploy(ctx, engine.DeployOptions{Rate: w.Rate}); err != nil {
			return err
		}
	}
	if w.Backfill {
		if _, err := w.engine.Deployments().Backfill(ctx, nil); err != nil {
			return err
		}
	}
	return w.engine.Start(context.WithoutCancel(ctx)) // what an earlier process left undone is made up for in any case
}

// ingest is one goroutine that ingests events, each until it is acknowledged: first those that it
// had not finished when it was killed, then others. Now and then it sends again what was taken in
// long ago.
func (w *deployWorker) ingest(ctx context.Context, g int) error {
	name := filepath.Join(w.Dir, fmt.Sprintf("d%d-g%d.journal", w.ID, g))
	undone, lines, err := readJournal(name)
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	if _, err := journal.WriteString("\n"); err != nil { // ends a line that was being written when the process died
		return err
	}
	whole := context.WithoutCancel(ctx)
	send := func(i intent) error {
		if _, err := w.engine.Ingest(whole, i.event()); err != nil {
			return err
		}
		return json.NewEncoder(journal).Encode(intent{Op: "done", Key: i.Key})
	}
	for _, i := range undone {
		if err := send(i); err != nil {
			return err
		}
	}
	rng := rand.New(rand.NewPCG(w.Seed, uint64(w.ID*1000+g+lines*100_000)))
	var last intent
	for n := 0; ctx.Err() == nil; n++ {
		if last.Key != "" && rng.IntN(10) == 0 {
			if again, err := w.engine.Ingest(whole, last.event()); err != nil || !again.Duplicate {
				return fmt.Errorf("event %s is sent again: got %+v, %w", last.Key, again, err)
			}
			continue
		}
		last = w.intent(rng, fmt.Sprintf("d%d-g%d-%d-%d", w.ID, g, lines, n))
		if err := errors.Join(json.NewEncoder(journal).Encode(last), send(last)); err != nil {
			return err
		}
	}
	return nil
}

func (w *deployWorker) intent(rng *rand.Rand, key string) intent {
	user := w.First + rng.IntN(w.Users)
	i := intent{Op: "send", Key: key, User: "u" + itoa(user), By: w.Definitions, Amount: 1 + rng.IntN(20)}
	switch rng.IntN(5) {
	case 0:
		i.Traits = map[string]any{"plan": []any{"pro", "free", "team", nil}[rng.IntN(4)]}
	case 1:
		if user >= w.Steady {
			i.Traits = map[string]any{"seats": []any{5, 10, 12, 20}[rng.IntN(4)]}
		}
	case 2, 3:
		i.Name = "purchase"
	}
	if i.Name == "" && i.Traits == nil {
		i.Name = "visit"
	}
	if w.Late && i.Name != "" && rng.IntN(8) == 0 {
		i.Late = time.Duration(rng.Int64N(int64(3 * bucket.Day)))
	}
	return i
}
