//go:build hatchet

package hatchet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	sdk "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// workerVar is the environment variable that makes this test binary a process of a test, to be
// killed.
const workerVar = "BUCKETGEN_HATCHET_WORKER"

// process says what such a process does.
type process struct {
	URL  string // of the test's database
	Name string

	// Listens makes it a worker of Hatchet's SDK alone, which writes down what triggers it.
	// Otherwise it is an engine with an adapter, which pushes everything.
	Listens bool

	// Definitions are those of the engine: oldOnes or newOnes.
	Definitions string
	Slowly      bool // it backfills with one worker
}

func init() { //nolint:gochecknoinits // only in tests, and only if a test asks for it
	works[workerVar] = func(text string) error {
		var p process
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return err
		}
		if err := p.run(); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		return nil
	}
}

// run does the work until the process is asked to end.
func (p process) run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	pool, err := pgxpool.New(ctx, p.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	if p.Listens {
		return p.listen(ctx, pool)
	}
	r, err := registrytest.Of(definitions(p.Definitions)...)
	if err != nil {
		return err
	}
	config := engine.Config{NoJobs: true, NoDeploy: true, Lease: killLease}
	if p.Slowly {
		config.BackfillWorkers = 1
	}
	e, err := engine.New(pool, r, config)
	if err != nil {
		return err
	}
	a, err := New(e, Config{Events: []Event{Everything()}, Worker: p.Name})
	if err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "ready")
	<-ctx.Done()
	err = errors.Join(a.Stop(context.Background()), e.Stop(context.Background()))
	fmt.Fprintln(os.Stdout, e.Stats().Delivered)
	return err
}

// listen writes down what comes, with the name of the process.
func (p process) listen(ctx context.Context, pool *pgxpool.Pool) error {
	client, err := sdk.NewClient(v0.WithLogger(&quiet))
	if err != nil {
		return err
	}
	task := client.NewStandaloneTask("write-down", func(ctx sdk.Context, in map[string]any) (map[string]any, error) {
		_, err := pool.Exec(ctx, "insert into public.received (process, key, payload_key, membership) values ($1, $2, $3, $4)",
			p.Name, ctx.AdditionalMetadata()[idempotencyKey], in["key"], in["membershipId"])
		return nil, err
	}, sdk.WithWorkflowEvents("bucket:entered:lapsed", "bucket:left:lapsed"), sdk.WithRetries(20), sdk.WithExecutionTimeout(lostAfter))
	worker, err := client.NewWorker(p.Name, sdk.WithWorkflows(task), sdk.WithSlots(20), sdk.WithLogger(&quiet))
	if err != nil {
		return err
	}
	stop, err := worker.Start()
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "ready")
	<-ctx.Done()
	return stop()
}

// The definitions that engines have.
const (
	oldOnes = "old"
	newOnes = "new"
)

func definitions(name string) []bucket.Definition {
	if name == newOnes {
		return []bucket.Definition{lapsed, bucket.Define(bucket.Spec{ID: "active", Criteria: visit.AtLeast(2)})}
	}
	return []bucket.Definition{lapsed}
}

// lostAfter is how long Hatchet waits for a run. One that it had given to a worker that never got
// it, because the server was killed on the way, it gives away again only then: by default, after
// five minutes.
const lostAfter = 20 * time.Second

// running is a process that a test has started.
type running struct {
	*exec.Cmd
	out io.Reader
}

// spawn starts a process with variables beside those of the test, and waits until it works.
func (p process) spawn(t testing.TB, env []string) *running {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := child.Command(context.Background(), workerVar, string(text))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &running{cmd, out}
	t.Cleanup(func() { r.kill(t) })
	var word string
	if _, err := fmt.Fscan(out, &word); err != nil || word != "ready" {
		t.Fatalf("%s said %q: %v", p.Name, word, err)
	}
	return r
}

// kill ends the process at once. It may have ended.
func (r *running) kill(t testing.TB) {
	t.Helper()
	if r.ProcessState != nil {
		return
	}
	if err := r.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = r.Wait()
}

// end asks the process to end, and returns how many transitions it delivered.
func (r *running) end(t testing.TB) int {
	t.Helper()
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	n := 0
	if _, err := fmt.Fscan(r.out, &n); err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if err := r.Wait(); err != nil {
		t.Error(err)
	}
	return n
}
