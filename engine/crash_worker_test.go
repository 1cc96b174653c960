package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// crashVar is the environment variable that makes this test binary a worker of the crash test.
const crashVar = "BUCKETGEN_CRASH_WORKER"

// crashBuckets have windows that are so short that the clock is always busy.
func crashBuckets() []bucket.Definition {
	a, b := bucket.Event("a"), bucket.Event("b")
	const ms = time.Millisecond
	return []bucket.Definition{
		bucket.Define(bucket.Spec{ID: "hot", Criteria: a.Within(400 * ms).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "recent", Criteria: b.Within(250 * ms).Exists()}),
		bucket.Define(bucket.Spec{ID: "quiet", Criteria: bucket.All(a.Exists(), a.Within(600*ms).Never())}),
		bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")}),
		bucket.Define(bucket.Spec{ID: "mixed", Criteria: bucket.Any(bucket.All(plan.Is("pro"), b.Within(500*ms).AtLeast(2)), seats.AtLeast(3))}),
		bucket.Define(bucket.Spec{ID: "sticky", Criteria: plan.Is("pro"), MinDwell: 300 * ms}),
		bucket.Define(bucket.Spec{ID: "timed", Criteria: seats.Exists(), MaxDwell: 350 * ms}),
		bucket.Define(bucket.Spec{ID: "first", Criteria: plan.Is("free"), Entry: bucket.Once()}),
		bucket.Define(bucket.Spec{ID: "cool", Criteria: b.Within(100 * ms).Exists(), Entry: bucket.OncePer(500 * ms)}),
		bucket.Define(bucket.Spec{ID: "manual", Kind: bucket.Manual, MaxDwell: bucket.Second}),
	}
}

// crashWorker is one process of the crash test.
type crashWorker struct {
	URL        string
	Dir        string // of the journals
	ID         int
	Seed       uint64
	Goroutines int
	Users      int
	Lease      time.Duration
	Ops        int // of each goroutine; with 0 it only makes up for what an earlier process left undone

	registry *registry.Registry
	pool     *pgxpool.Pool
	engine   *engine.Engine
}

// intent is a line of a journal: what a goroutine is going to send, or what became of it.
type intent struct {
	Op     string // send, done or undone
	Key    string
	User   string         `json:",omitempty"`
	Name   string         `json:",omitempty"`
	Traits map[string]any `json:",omitempty"`
	Late   time.Duration  `json:",omitempty"`
	By     string         `json:",omitempty"` // which definitions the process has
	Amount int            `json:",omitempty"`
}

func (i intent) event() engine.Event {
	ev := engine.Event{UserID: i.User, Name: i.Name, Traits: i.Traits, Key: i.Key, Properties: map[string]any{"key": i.Key}}
	if i.By != "" {
		ev.Properties["by"], ev.Properties["amount"] = i.By, i.Amount
	}
	if i.Late > 0 {
		ev.OccurredAt = time.Now().Add(-i.Late)
	}
	return ev
}

// crashWorkerMain is the main function of a worker process.
func crashWorkerMain(config string) error {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a database that comes and goes is what this is about
	w := &crashWorker{}
	if err := json.Unmarshal([]byte(config), w); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := w.start(ctx); err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // the test waits for it
	var group sync.WaitGroup
	errs := make([]error, w.Goroutines)
	for g := range w.Goroutines {
		group.Go(func() { errs[g] = w.work(ctx, g) })
	}
	group.Wait()
	bounded, cancel := context.WithTimeout(context.Background(), waitfor.Long)
	defer cancel()
	return errors.Join(errors.Join(errs...), w.engine.Stop(bounded))
}

func (w *crashWorker) start(ctx context.Context) error {
	var err error
	if w.registry, err = crashRegistry(); err != nil {
		return err
	}
	config, err := pgxpool.ParseConfig(w.URL)
	if err != nil {
		return err
	}
	config.MaxConns = 12
	if w.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	for { // the database may be away just now
		if w.engine, err = engine.New(w.pool, w.registry, engine.Config{ClockPoll: 5 * time.Millisecond, DeliveryPoll: 20 * time.Millisecond, Lease: w.Lease}); err != nil {
			return err
		}
		if err := listen(w.engine, w.pool, w.registry); err != nil {
			return err
		}
		if err = w.engine.Start(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond) //nolint:forbidigo // another process brings it back
	}
}

// listen writes what is delivered into a table.
func listen(e *engine.Engine, pool *pgxpool.Pool, r *registry.Registry) error {
	handle := func(ctx context.Context, t engine.Transition) error {
		_, err := pool.Exec(ctx, "insert into public.delivered (key, usr, bucket, kind, entry_count) values ($1, $2, $3, $4, $5)",
			t.Key(), t.UserID, t.BucketID, string(t.Kind), t.EntryCount)
		return err
	}
	for i := range r.Tables().Buckets {
		id := r.Tables().Buckets[i].ID
		ref, _ := r.Ref(id)
		if err := errors.Join(
			e.OnEnter(ref, engine.EnterHandler{Name: id + " in", MaxAttempts: 1 << 20, Func: handle}),
			e.OnLeave(ref, engine.LeaveHandler{Name: id + " out", MaxAttempts: 1 << 20, Func: handle}),
		); err != nil {
			return err
		}
	}
	return nil
}

// work is one goroutine: first it makes up for what it had left undone when it was killed, then it
// goes on.
func (w *crashWorker) work(ctx context.Context, g int) error {
	name := filepath.Join(w.Dir, fmt.Sprintf("w%d-g%d.journal", w.ID, g))
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
	rng := rand.New(rand.NewPCG(w.Seed, uint64(w.ID*1000+g+lines*100_000)))
	note := func(lines ...intent) error {
		for _, line := range lines {
			if err := json.NewEncoder(journal).Encode(line); err != nil {
				return err
			}
		}
		return nil
	}
	for _, i := range undone {
		if err := w.send(context.WithoutCancel(ctx), i, note); err != nil {
			return err
		}
	}
	for n := 0; n < w.Ops && ctx.Err() == nil; n++ {
		batch := make([]intent, 1+rng.IntN(4)*rng.IntN(2))
		for i := range batch {
			batch[i] = w.intent(rng, fmt.Sprintf("w%d-g%d-%d-%d-%d", w.ID, g, lines, n, i))
		}
		if err := w.op(context.WithoutCancel(ctx), rng, batch, note); err != nil {
			return err
		}
	}
	return nil
}

func (w *crashWorker) intent(rng *rand.Rand, key string) intent {
	i := intent{Op: "send", Key: key, User: "u" + itoa(rng.IntN(w.Users)), Name: []string{"a", "b", "c"}[rng.IntN(3)]}
	if rng.IntN(8) == 0 {
		i.Late = time.Duration(rng.IntN(500)) * time.Millisecond
	}
	switch rng.IntN(4) {
	case 0:
		i.Traits = map[string]any{"plan": []any{"pro", "free", nil}[rng.IntN(3)]}
	case 1:
		i.Traits = map[string]any{"seats": []any{rng.IntN(5), nil}[rng.IntN(2)]}
	}
	return i
}

// op does one of the things that a program does with an engine.
func (w *crashWorker) op(ctx context.Context, rng *rand.Rand, batch []intent, note func(...intent) error) error {
	switch rng.IntN(8) {
	case 0:
		b, _ := w.registry.Tables().Bucket("manual")
		ref, user := registry.NewManualRef("manual", b), "u"+itoa(rng.IntN(w.Users))
		change := w.engine.Add
		if rng.IntN(2) == 0 {
			change = w.engine.Remove
		}
		_, err := change(ctx, ref, user)
		return err
	case 1:
		return w.within(ctx, rng, batch, note)
	case 2:
		return w.together(ctx, batch, note)
	default:
		return errors.Join(note(batch[0]), w.send(ctx, batch[0], note))
	}
}

func (w *crashWorker) send(ctx context.Context, i intent, note func(...intent) error) error {
	if _, err := w.engine.Ingest(ctx, i.event()); err != nil {
		return err
	}
	return note(intent{Op: "done", Key: i.Key})
}

func (w *crashWorker) together(ctx context.Context, batch []intent, note func(...intent) error) error {
	if err := note(batch...); err != nil {
		return err
	}
	var events []engine.Event
	for _, i := range batch {
		events = append(events, i.event())
	}
	if _, err := w.engine.IngestBatch(ctx, events); err != nil {
		return err
	}
	for _, i := range batch {
		if err := note(intent{Op: "done", Key: i.Key}); err != nil {
			return err
		}
	}
	return nil
}

// within sends events inside of a transaction, which is rolled back now and then. What goes wrong
// with it is made up for without one.
func (w *crashWorker) within(ctx context.Context, rng *rand.Rand, batch []intent, note func(...intent) error) error {
	if err := note(batch...); err != nil {
		return err
	}
	commit := rng.IntN(4) > 0
	err := func() error {
		tx, err := w.pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(ctx)
		var events []engine.Event
		for _, i := range batch {
			events = append(events, i.event())
		}
		if _, err := w.engine.IngestTx(ctx, tx, events...); err != nil || !commit {
			return err
		}
		return tx.Commit(ctx)
	}()
	for _, i := range batch {
		switch {
		case err != nil:
			if err := w.send(ctx, i, note); err != nil {
				return err
			}
		default:
			if err := note(intent{Op: map[bool]string{true: "done", false: "undone"}[commit], Key: i.Key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// readJournal returns what a journal says was sent and not acknowledged, and how long the journal
// is.
func readJournal(name string) (undone []intent, length int, err error) {
	lines, err := journalLines(name)
	if err != nil {
		return nil, 0, err
	}
	settled := map[string]bool{}
	for _, l := range lines {
		settled[l.Key] = settled[l.Key] || l.Op != "send"
	}
	for _, l := range lines {
		if l.Op == "send" && !settled[l.Key] {
			undone = append(undone, l)
		}
	}
	return undone, len(lines), nil
}

func journalLines(name string) ([]intent, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []intent
	in := bufio.NewReader(f)
	for {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		var l intent
		if json.Unmarshal(text, &l) == nil { // else it was not written to its end, and nothing was done about it yet
			lines = append(lines, l)
		}
	}
}
