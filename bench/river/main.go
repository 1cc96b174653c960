// Command river measures how many jobs that do nothing River (https://riverqueue.com) works a
// second, while a backlog waits and is refilled. It prints a line for each round. It is a separate
// module, so that no host depends on River.
package main

import (
	"context"
	"errors"
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
	span := flag.Duration("span", time.Second, "length of a round")
	rounds := flag.Int("rounds", 5, "rounds")
	flag.Parse()
	if err := run(context.Background(), *url, *jobs, *rounds, *span); err != nil {
		fmt.Fprintln(os.Stderr, "river:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, jobs, rounds int, span time.Duration) error {
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
	inserted := 0
	insert := func(n int) error {
		batch := make([]river.InsertManyParams, n)
		for i := range batch {
			batch[i] = river.InsertManyParams{Args: nothing{inserted + i}}
		}
		inserted += n
		_, err := client.InsertManyFast(ctx, batch)
		return err
	}
	for inserted < jobs {
		if err := insert(min(10_000, jobs-inserted)); err != nil {
			return err
		}
	}
	if _, err := pool.Exec(ctx, "vacuum analyze river_job"); err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	keeping, stop := context.WithCancel(ctx)
	kept := make(chan error, 1)
	go func() {
		for keeping.Err() == nil {
			if inserted-int(w.worked.Load()) > jobs {
				time.Sleep(200 * time.Microsecond)
			} else if err := insert(250); err != nil {
				kept <- err
				return
			}
		}
		kept <- nil
	}()
	time.Sleep(time.Second) // warm-up
	for range rounds {
		before, start := w.worked.Load(), time.Now()
		time.Sleep(span)
		fmt.Printf("%.0f\n", float64(w.worked.Load()-before)/time.Since(start).Seconds())
	}
	stop()
	return errors.Join(<-kept, client.Stop(ctx))
}
