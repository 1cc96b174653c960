// Command play plays the recorded scenarios of a folder, on a PostgreSQL that it finds or starts by
// itself, and prints what each came to.
//
//	go run ./internal/conformance/play DIR
//
// It exits with 1 if a scenario fails, and with 2 if it could not play. TEST_DATABASE_URL names a
// server to use.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"

	"github.com/bucketgen/bucketgen/internal/conformance"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: play DIR")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	failed, err := run(ctx, os.Stdout, os.Args[1])
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(2)
	case failed:
		os.Exit(1)
	}
}

// run plays the scenarios of a folder and reports whether any failed.
func run(ctx context.Context, out io.Writer, dir string) (failed bool, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return false, err
	}
	if len(files) == 0 {
		return false, fmt.Errorf("there are no scenarios (*.json) in %s", dir)
	}
	server, err := startServer(ctx)
	if err != nil {
		return false, err
	}
	reports := make([]*conformance.Report, len(files))
	var group sync.WaitGroup
	workers := make(chan struct{}, 4)
	for i, file := range files {
		group.Go(func() {
			workers <- struct{}{}
			reports[i] = playFile(ctx, server, file)
			<-workers
		})
	}
	group.Wait()
	return summarise(out, reports), server.stop()
}

func playFile(ctx context.Context, server *server, file string) *conformance.Report {
	v, err := conformance.Read(file)
	if err != nil {
		return &conformance.Report{ID: filepath.Base(file), Err: err}
	}
	pool, drop, err := server.database(ctx)
	if err != nil {
		return &conformance.Report{ID: v.ID, Err: err}
	}
	defer drop()
	return conformance.Play(ctx, pool, v)
}

func summarise(out io.Writer, reports []*conformance.Report) (failed bool) {
	var same, deviating, needing, failing int
	for _, r := range reports {
		fmt.Fprintln(out, r)
		switch {
		case r.Err != nil:
			failing++
		case len(r.Needs) > 0:
			needing++
		case len(r.Deviations) > 0:
			deviating++
		default:
			same++
		}
	}
	fmt.Fprintf(out, "%d scenarios: %d as recorded, %d with named deviations, %d need what is not built, %d failed\n",
		len(reports), same, deviating, needing, failing)
	return failing > 0
}
