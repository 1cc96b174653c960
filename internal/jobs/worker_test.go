package jobs_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine/enginetest"
	"github.com/bucketgen/bucketgen/internal/child"
	"github.com/bucketgen/bucketgen/internal/jobs"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/service"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// childDatabase is the environment variable by which a test starts this program as a process to be
// killed.
const childDatabase = "BUCKETGEN_TEST_JOBS_DATABASE"

// TestMain runs the tests on a PostgreSQL of their own.
func TestMain(m *testing.M) {
	child.Main(map[string]func(string) error{childDatabase: workForever})
	os.Exit(pgtest.Run(m))
}

// workForever takes a job at the time at which the tests begin, says so, and never finishes it.
func workForever(url string) error {
	pool, err := pgxpool.New(context.Background(), url)
	if err != nil {
		return err
	}
	w := worker(pool, enginetest.NewClock(begin), func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		_, _ = os.Stdout.WriteString("working\n")
		select {}
	})
	var group service.Group
	group.Start(context.Background(), w.Loop())
	select {}
}

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// lease is how long a job belongs to a process that does not report.
const lease = 30 * time.Second

// worker returns a worker of a process of its own.
func worker(pool *pgxpool.Pool, clock *enginetest.Clock, work jobs.Work) *jobs.Worker {
	process := pgtype.UUID{Valid: true}
	_, _ = rand.Read(process.Bytes[:])
	return &jobs.Worker{
		Queue: jobs.Queue{Pool: pool, Schema: "bucketgen", Now: clock.Now}, Fingerprint: "mine", Process: process, Lease: lease,
		Pace: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler), Works: map[bucketgen.JobKind]jobs.Work{bucketgen.JobPlan: work},
	}
}

type world struct {
	jobs.Queue
	url   string
	clock *enginetest.Clock
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{url: pgtest.NewURL(t), clock: enginetest.NewClock(begin)}
	w.Queue = jobs.Queue{Pool: pgtest.Open(t, w.url), Schema: "bucketgen", Now: w.clock.Now}
	return w
}

// start lets a worker work until the test ends, or until the function that is returned is called.
func (w *world) start(t *testing.T, work jobs.Work) (stop func()) {
	t.Helper()
	var group service.Group
	group.Start(context.Background(), worker(w.Pool, w.clock, work).Loop())
	stop = func() { group.Stop(); group.Wait() }
	t.Cleanup(stop)
	return stop
}

// begin begins a plan job for the definitions of the workers.
func (w *world) begin(t *testing.T) int64 {
	t.Helper()
	no, err := w.Begin(t.Context(), bucketgen.JobPlan, bucketgen.JobParams{Users: 3}, "ada", "mine")
	if err != nil {
		t.Fatal(err)
	}
	return no
}

func (w *world) get(t *testing.T, no int64) bucketgen.Job {
	t.Helper()
	j, err := w.Get(t.Context(), no)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// becomes waits until a job has a state.
func (w *world) becomes(t *testing.T, no int64, state bucketgen.JobState) bucketgen.Job {
	t.Helper()
	waitfor.That(t, func() bool { return w.get(t, no).State == state })
	return w.get(t, no)
}

// planned is what a plan job comes to that evaluated some users.
func planned(users int64) jobs.Done {
	return jobs.Done{Result: &bucketgen.Plan{Users: users}, Lists: []jobs.List{
		{Name: "joining", BucketID: "pro", Users: []string{"ada", "bob", "cyd"}}, {Name: "leaving", BucketID: "pro", Users: []string{"dan"}},
	}}
}

// TestJob does a job and reads its result, its users page by page, and forgets it.
func TestJob(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	no := w.begin(t)
	if again := w.begin(t); again != no {
		t.Errorf("an equal job has the number %d, want %d", again, no)
	}
	if j := w.get(t, no); j.State != bucketgen.JobWaiting || j.By != "ada" || j.Params.Users != 3 || !j.CreatedAt.Equal(begin) || j.Finished() {
		t.Errorf("got %+v", j)
	}
	goOn := make(chan struct{})
	w.start(t, func(_ context.Context, p bucketgen.JobParams, progress func(int64, int64)) (jobs.Done, error) {
		progress(4, 9)
		<-goOn
		progress(9, 9)
		return planned(int64(p.Users)), nil
	})
	waitfor.That(t, func() bool { j := w.get(t, no); return j.State == bucketgen.JobRunning && j.Done == 4 && j.Total == 9 })
	w.clock.Advance(time.Second)
	close(goOn)
	j := w.becomes(t, no, bucketgen.JobDone)
	if j.Plan == nil || j.Plan.Users != 3 || j.Attempts != 1 || j.Done != 9 || j.Error != "" || !j.FinishedAt.Equal(begin.Add(time.Second)) {
		t.Errorf("got %+v, %+v", j, j.Plan)
	}
	var users []string
	for after := int32(0); ; {
		page, err := w.Users(ctx, no, "joining", "pro", after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, u := range page {
			users, after = append(users, u.UserID), u.Place
		}
	}
	if diff := cmp.Diff([]string{"ada", "bob", "cyd"}, users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if next := w.begin(t); next == no {
		t.Error("a finished job is begun again")
	} else {
		w.becomes(t, next, bucketgen.JobDone)
	}
	all, err := w.List(ctx, 0, 10)
	if err != nil || len(all) != 2 || all[1].ID != no || all[1].Plan != nil {
		t.Errorf("the list is %+v, %v", all, err)
	}
	w.clock.Advance(time.Hour)
	if err := w.Forget(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get(ctx, no); !errors.Is(err, bucketgen.ErrUnknownJob) {
		t.Errorf("got %v, want ErrUnknownJob", err)
	}
	if left, err := w.Users(ctx, no, "joining", "pro", 0, 2); err != nil || len(left) != 0 {
		t.Errorf("%d users are left of a job that was forgotten: %v", len(left), err)
	}
}

// TestKilled kills the process that works on a job. Another finishes it once the lease is over.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	no := w.begin(t)
	other, err := child.Command(t.Context(), childDatabase, w.url)
	if err != nil {
		t.Fatal(err)
	}
	other.Stderr = os.Stderr
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "working" {
		t.Fatalf("the process says %q: %v", line, err)
	}
	asked := make(chan struct{}, 1)
	w.start(t, func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		asked <- struct{}{}
		return planned(7), nil
	})
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // it was killed
	if j := w.get(t, no); j.State != bucketgen.JobRunning || j.Attempts != 1 {
		t.Fatalf("after the kill: got %+v", j)
	}
	select {
	case <-asked:
		t.Error("a job is taken whose lease lasts")
	default:
	}
	w.clock.Advance(lease)
	if j := w.becomes(t, no, bucketgen.JobDone); j.Attempts != 2 || j.Plan.Users != 7 {
		t.Errorf("got %+v", j)
	}
}

// TestLateResult lets a process finish a job that another has taken over: its result does not
// count.
func TestLateResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	no, began, goOn := w.begin(t), make(chan struct{}), make(chan struct{})
	slow := worker(w.Pool, w.clock, func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		close(began)
		<-goOn
		return planned(1), nil
	})
	slow.Pace = time.Hour // so it does not renew its lease
	var group service.Group
	group.Start(context.Background(), slow.Loop())
	<-began
	w.clock.Advance(lease)
	w.start(t, func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		return planned(2), nil
	})
	w.becomes(t, no, bucketgen.JobDone)
	close(goOn)
	group.Stop()
	group.Wait()
	if j := w.get(t, no); j.Plan.Users != 2 || j.Attempts != 2 {
		t.Errorf("got %+v of %d users, want the result of the second process", j, j.Plan.Users)
	}
}

// TestRenew keeps a job for longer than a lease while its process works.
func TestRenew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	no, goOn := w.begin(t), make(chan struct{})
	work := func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		<-goOn
		return planned(1), nil
	}
	w.start(t, work)
	w.becomes(t, no, bucketgen.JobRunning)
	for range 3 {
		w.clock.Advance(lease / 2)
		waitfor.That(t, func() bool {
			var until time.Time
			err := w.Pool.QueryRow(t.Context(), "select leased_until from bucketgen.jobs").Scan(&until)
			return err == nil && until.Equal(w.clock.Now().Add(lease))
		})
	}
	w.start(t, func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		return planned(2), nil
	})
	close(goOn)
	if j := w.becomes(t, no, bucketgen.JobDone); j.Attempts != 1 || j.Plan.Users != 1 {
		t.Errorf("got %+v", j)
	}
}

// TestCancel cancels a job that waits, one that runs, and one whose process died.
func TestCancel(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	waiting := w.begin(t)
	if err := w.Cancel(ctx, waiting); err != nil {
		t.Fatal(err)
	}
	if j := w.get(t, waiting); j.State != bucketgen.JobCancelled || !j.Finished() {
		t.Errorf("a waiting job: got %+v", j)
	}
	runs := w.begin(t)
	stop := w.start(t, func(ctx context.Context, _ bucketgen.JobParams, _ func(int64, int64)) (jobs.Done, error) {
		<-ctx.Done()
		return jobs.Done{}, ctx.Err()
	})
	w.becomes(t, runs, bucketgen.JobRunning)
	if err := w.Cancel(ctx, runs); err != nil {
		t.Fatal(err)
	}
	if j := w.becomes(t, runs, bucketgen.JobCancelled); j.Error != "" || !j.Finished() || j.Cancelling {
		t.Errorf("a running job: got %+v", j)
	}
	stop()
	dead := w.begin(t)
	if _, err := w.Pool.Exec(ctx, "update bucketgen.jobs set state = 'running', lease = gen_random_uuid(), leased_until = $2, attempts = 1 where no = $1",
		dead, w.clock.Now().Add(lease)); err != nil {
		t.Fatal(err)
	}
	if err := w.Cancel(ctx, dead); err != nil {
		t.Fatal(err)
	}
	if j := w.get(t, dead); j.State != bucketgen.JobRunning || !j.Cancelling {
		t.Errorf("the job of a dead process: got %+v", j)
	}
	w.clock.Advance(lease)
	w.start(t, func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		t.Error("a cancelled job is done")
		return jobs.Done{}, nil
	})
	w.becomes(t, dead, bucketgen.JobCancelled)
}

// TestFailures lets jobs fail, panic, come to too much, and kill every process that does them.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		work jobs.Work
		want string
	}{
		"error": {func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
			return jobs.Done{}, errors.New("too bad")
		}, "too bad"},
		"panic": {func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) { panic("oh no") }, "oh no"},
		"large": {func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
			return jobs.Done{Result: strings.Repeat("x", 5<<20)}, nil
		}, "ask for fewer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			no := w.begin(t)
			w.start(t, test.work)
			if j := w.becomes(t, no, bucketgen.JobFailed); !strings.Contains(j.Error, test.want) || j.Plan != nil {
				t.Errorf("got %q, want %q", j.Error, test.want)
			}
		})
	}
	w := newWorld(t)
	no := w.begin(t)
	if _, err := w.Pool.Exec(t.Context(), "update bucketgen.jobs set attempts = 3, state = 'running', lease = gen_random_uuid(), leased_until = $1", begin); err != nil {
		t.Fatal(err)
	}
	w.start(t, func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		t.Error("a fourth process does it")
		return jobs.Done{}, nil
	})
	if j := w.becomes(t, no, bucketgen.JobFailed); !strings.Contains(j.Error, "3 processes") {
		t.Errorf("got %q", j.Error)
	}
}

// TestStop gives a job back when its process stops, and leaves jobs about other definitions alone.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	no := w.begin(t)
	other, err := w.Begin(t.Context(), bucketgen.JobPlan, bucketgen.JobParams{}, "ada", "other")
	if err != nil {
		t.Fatal(err)
	}
	stop := w.start(t, func(ctx context.Context, _ bucketgen.JobParams, _ func(int64, int64)) (jobs.Done, error) {
		<-ctx.Done()
		return jobs.Done{}, ctx.Err()
	})
	w.becomes(t, no, bucketgen.JobRunning)
	stop()
	if j := w.get(t, no); j.State != bucketgen.JobWaiting || j.Attempts != 0 {
		t.Errorf("got %+v, want it to wait", j)
	}
	w.start(t, func(context.Context, bucketgen.JobParams, func(int64, int64)) (jobs.Done, error) {
		return planned(1), nil
	})
	w.becomes(t, no, bucketgen.JobDone)
	if j := w.get(t, other); j.State != bucketgen.JobWaiting {
		t.Errorf("a job about other definitions: got %+v", j)
	}
}

// TestCrowd begins as many jobs as may be unfinished.
func TestCrowd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 100 {
		if _, err := w.Begin(t.Context(), bucketgen.JobPlan, bucketgen.JobParams{Users: i + 1}, "ada", "mine"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Begin(t.Context(), bucketgen.JobPlan, bucketgen.JobParams{Users: 101}, "ada", "mine"); !errors.Is(err, bucketgen.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if no, err := w.Begin(t.Context(), bucketgen.JobPlan, bucketgen.JobParams{Users: 1}, "bob", "mine"); err != nil || no == 0 {
		t.Errorf("an equal job: got %d, %v", no, err)
	}
}
