// Command studio measures Studio, the web page, on tables of the size that its bars are for: how
// fast pages and the operations behind them answer, how many statements a page takes, what viewers
// cost ingest, and what memory a stream of transitions takes.
//
//	go run ./bench/studio
//
// Seeding takes some minutes. With -dir the data are kept, and later runs begin with the
// measurement.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/registry"
)

type options struct {
	scale

	requests, callers, viewers, rounds, rate int
	span, warm, stream, pace                 time.Duration
	seedOnly                                 bool
	profile                                  string
}

func main() {
	var o options
	flag.IntVar(&o.users, "users", 1_000_000, "users; each is in 4 buckets")
	flag.IntVar(&o.buckets, "buckets", 10_000, "buckets")
	flag.IntVar(&o.requests, "requests", 60, "requests of each page and operation")
	flag.IntVar(&o.callers, "callers", 64, "callers of Ingest at once")
	flag.IntVar(&o.viewers, "viewers", 20, "viewers beside ingest; half of them have the live page open, half the overview")
	flag.DurationVar(&o.pace, "pace", 200*time.Millisecond, "pace that the streams of viewers accept; the page's is 200ms")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of ingest without and with viewers; the medians count")
	flag.DurationVar(&o.span, "span", 4*time.Second, "length of a run of ingest")
	flag.DurationVar(&o.warm, "warm", 12*time.Second, "length of the run of ingest before those that are measured")
	flag.IntVar(&o.rate, "rate", 1000, "transitions a second that a viewer watches; 0: skip the measurement of memory")
	flag.DurationVar(&o.stream, "stream", 30*time.Second, "for how long")
	flag.BoolVar(&o.seedOnly, "seed", false, "seed and measure nothing")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of ingest with viewers to this file")
	dir := flag.String("dir", "", "folder in which the data of the private server are kept (default none)")
	url := flag.String("database", os.Getenv("BENCH_DATABASE_URL"), "server to measure on (default a private one, durable)")
	flag.Parse()
	if err := run(context.Background(), postgres.Options{URL: *url, Dir: *dir, Durable: true, Settings: settings}, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/studio:", err)
		os.Exit(1)
	}
}

// settings give a server the memory that its documentation advises.
var settings = []string{"track_commit_timestamp=on", "shared_buffers=1GB", "min_wal_size=4GB", "effective_cache_size=8GB", "random_page_cost=1.1"}

func run(ctx context.Context, p postgres.Options, o options) error {
	server, err := postgres.Start(ctx, p)
	if err != nil {
		return err
	}
	defer server.Stop()
	r, err := bucketsOf(o.scale)
	if err != nil {
		return err
	}
	pool, err := connect(ctx, server.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := prepare(ctx, pool, r, o.scale); err != nil || o.seedOnly {
		return err
	}
	e, err := engine.New(pool, r, engine.Config{NoDelivery: true})
	if err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	s, err := serve(ctx, e, pool)
	if err == nil {
		s.pace = o.pace
		err = s.measure(ctx, o)
		s.Close()
	}
	return errors.Join(err, e.Stop(ctx))
}

// connect returns a pool whose statements are counted by request.
func connect(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.ConnConfig.Tracer = 16, tracer{}
	return pgxpool.NewWithConfig(ctx, config)
}

// prepare migrates a database, deploys the buckets and seeds it, unless it has users.
func prepare(ctx context.Context, pool *pgxpool.Pool, r *registry.Registry, size scale) error {
	if _, err := migrate.Up(ctx, pool, migrate.Options{}); err != nil {
		return err
	}
	e, err := engine.New(pool, r, engine.Config{NoClock: true, NoDelivery: true})
	if err != nil {
		return err
	}
	if err := errors.Join(e.Start(ctx), e.Stop(ctx)); err != nil {
		return err
	}
	var users int
	if err := pool.QueryRow(ctx, "select count(*) from (select from bucketgen.contacts limit 1) c").Scan(&users); err != nil || users > 0 {
		return err
	}
	began := time.Now()
	fmt.Printf("seeding %d users and %d buckets\n", size.users, len(r.Tables().Buckets))
	if err := seed(ctx, pool, size, began, func(text string) { fmt.Println(text) }); err != nil {
		return err
	}
	fmt.Printf("seeded in %s\n", time.Since(began).Round(time.Second))
	return nil
}
