// Command soak lets an installation live for a while, and fails if something grows that should not:
// users come and go, visitors sign up, expire or become users, users merge and are erased,
// definitions are deployed again and again, and processes are killed. It draws what it saw.
//
//	go run ./bench/soak -for 1h -svg docs/img/soak.svg
//
// Everything that the engine keeps for a time it keeps for 20 seconds here, so that minutes show
// what takes months elsewhere.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
)

// workers is how many processes work. The first is never killed, so that its memory shows.
const workers = 3

type options struct {
	span time.Duration
	rate int
	svg  string
}

func main() {
	if text := os.Getenv(workerVar); text != "" {
		exit(runWorker(text))
	}
	var o options
	flag.DurationVar(&o.span, "for", time.Hour, "how long it runs, at least a minute")
	flag.IntVar(&o.rate, "rate", 60, "events a second, of each of three processes")
	flag.StringVar(&o.svg, "svg", "", "draw the curves into this file")
	flag.Parse()
	if o.span < time.Minute {
		exit(fmt.Errorf("-for is %s; what grows does not show in less than a minute", o.span))
	}
	exit(run(context.Background(), o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/soak:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run starts a server and the workers, watches them, and judges what it saw.
func run(ctx context.Context, o options) (err error) {
	// Dead rows are collected as often within the run as within an hour of a server as it comes.
	naptime := max(time.Second, min(time.Minute, o.span/60))
	server, err := postgres.Start(ctx, postgres.Options{Durable: true, Settings: []string{
		"shared_buffers=128MB", fmt.Sprintf("autovacuum_naptime=%d", naptime/time.Second), "max_connections=60",
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	pool, err := pgxpool.New(ctx, server.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := migrate.Up(ctx, pool, migrate.Options{}); err != nil {
		return err
	}
	s := &soak{options: o, pool: pool, url: server.URL, begin: time.Now()}
	defer s.kill()
	if err := s.live(ctx); err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	if err := s.largest(ctx, os.Stdout); err != nil {
		return err
	}
	if o.svg != "" {
		if err := os.MkdirAll(filepath.Dir(o.svg), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(o.svg, draw(s.seen), 0o600); err != nil {
			return err
		}
	}
	return errors.Join(judge(os.Stdout, s.seen), s.reconcile(ctx))
}

// soak is a run.
type soak struct {
	options

	pool    *pgxpool.Pool
	url     string
	begin   time.Time
	workers [workers]*process
	version int
	seen    []observation
	kills   int
}

// live lets the workers work until the time is up: it observes them, kills one now and then, and
// has new versions deployed.
func (s *soak) live(ctx context.Context) error {
	for i := range s.workers {
		if err := s.start(ctx, i); err != nil {
			return err
		}
	}
	const observations, deployments, kills = 120, 8, 16
	observe, deploy, kill := time.NewTicker(s.span/observations), time.NewTicker(s.span/deployments), time.NewTicker(s.span/kills)
	defer observe.Stop()
	defer deploy.Stop()
	defer kill.Stop()
	end := time.NewTimer(s.span)
	for {
		select {
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-observe.C:
			o, err := s.observe(ctx)
			if err != nil {
				return err
			}
			s.seen = append(s.seen, o)
			if len(s.seen)%10 == 0 {
				fmt.Printf("%8s  %s, %d kills\n", time.Since(s.begin).Round(time.Second), o, s.kills)
			}
		case <-kill.C:
			i := 1 + rand.IntN(workers-1) //nolint:gosec // which one is no secret
			s.workers[i].kill()
			s.kills++
			if err := s.start(ctx, i); err != nil {
				return err
			}
		case <-deploy.C:
			s.version++
			if err := s.workers[0].next(); err != nil {
				return err
			}
			for i := 1; i < workers; i++ { // the others are replaced, as by a rolling deployment
				if err := s.workers[i].stop(); err != nil {
					return err
				}
				if err := s.start(ctx, i); err != nil {
					return err
				}
			}
		}
	}
}

// reconcile checks that every membership is what the log says.
func (s *soak) reconcile(ctx context.Context) error {
	r, err := buckets(s.version)
	if err != nil {
		return err
	}
	e, err := engine.New(s.pool, r, engine.Config{NoClock: true, NoDelivery: true})
	if err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = e.Stop(context.WithoutCancel(ctx)) }()
	if _, err := e.Deploy(ctx, engine.DeployOptions{}); err != nil { // a killed worker may not have
		return err
	}
	if _, err := e.Deployments().Backfill(ctx, nil); err != nil {
		return err
	}
	if _, err := e.Clock().RunDue(ctx); err != nil {
		return err
	}
	found, err := e.Deployments().Reconcile(ctx, nil)
	if err != nil {
		return err
	}
	if found.Repaired != 0 {
		return fmt.Errorf("a reconciliation repaired %d memberships of %d users", found.Repaired, found.Users)
	}
	fmt.Printf("reconciliation: %d users, nothing to repair\n", found.Users)
	return nil
}
