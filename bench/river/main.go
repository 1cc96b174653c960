// Command river measures how many jobs a second River (https://riverqueue.com) works that do nothing, from a backlog that was inserted
// before. It is a module of its own, so that no host gets River.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// nothing is a job that does nothing.
type nothing struct {
	Number int `json:"number"`
}

// Kind names the job.
func (nothing) Kind() string { return "nothing" }

type worker struct {
	river.WorkerDefaults[nothing]

	worked *atomic.Int64
}

// Work counts the job.
func (w *worker) Work(context.Context, *river.Job[nothing]) error {
	w.worked.Add(1)
	return nil
}

func main() {
	url := flag.String("database", "", "URL of the database")
	jobs := flag.Int("jobs", 40_000, "jobs that wait")
	span := flag.Duration("span", 4*time.Second, "how long to measure at most")
	flag.Parse()
	if err := run(context.Background(), *url, *jobs, *span); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, jobs int, span time.Duration) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "truncate river_job"); err != nil {
		return err
	}
	w := &worker{worked: &atomic.Int64{}}
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := river.NewClient(driver, &river.Config{
		// As its own benchmark has it.
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 20 * time.Millisecond, JobTimeout: -1,
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2_000}},
		Workers: workers, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	for from := 0; from < jobs; from += 10_000 {
		batch := make([]river.InsertManyParams, min(10_000, jobs-from))
		for i := range batch {
			batch[i] = river.InsertManyParams{Args: nothing{from + i}}
		}
		if _, err := client.InsertManyFast(ctx, batch); err != nil {
			return err
		}
	}
	if _, err := pool.Exec(ctx, "vacuum analyze river_job"); err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	wait := func(n int64, until time.Time) {
		for w.worked.Load() < n && time.Now().Before(until) {
			time.Sleep(200 * time.Microsecond)
		}
	}
	wait(int64(jobs/20), time.Now().Add(time.Minute)) // it has begun
	before, start := w.worked.Load(), time.Now()
	wait(int64(jobs-jobs/10), start.Add(span))
	fmt.Printf("%.0f\n", float64(w.worked.Load()-before)/time.Since(start).Seconds())
	return client.Stop(ctx)
}
