// Command generate measures how long bucketgen takes for many buckets, and how long the compiler
// takes for what it generates.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

type options struct {
	sizes  []int
	rounds int
	alone  bool
}

func main() {
	var o options
	sizes := flag.String("sizes", "1000,10000", "numbers of buckets")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds, of which the median counts")
	flag.BoolVar(&o.alone, "alone", false, "give each bucket a variable of its own, not some hundreds one")
	flag.Parse()
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			fail(fmt.Errorf("-sizes: %q is no number of buckets; write numbers with commas between them", s))
		}
		o.sizes = append(o.sizes, n)
	}
	if err := run(context.Background(), o); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "generate:", err)
	os.Exit(1)
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "bucketgen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bucketgen := filepath.Join(dir, "bucketgen")
	if _, err := timed(ctx, ".", "go", "build", "-o", bucketgen, "./cmd/bucketgen"); err != nil {
		return err
	}
	fmt.Println("| buckets | bucketgen | of processors | gen | compile | of processors |\n|---|---|---|---|---|---|")
	for _, n := range o.sizes {
		h, err := newHost(ctx, filepath.Join(dir, strconv.Itoa(n)), n, o.alone)
		if err != nil {
			return err
		}
		if err := h.measure(ctx, bucketgen, o.rounds); err != nil {
			return err
		}
	}
	return nil
}

// measure generates again and again, each time from definitions of which a number is another, so
// that nothing that depends on it was compiled before. Everything else has been, after the first
// time, which does not count.
func (h *host) measure(ctx context.Context, bucketgen string, rounds int) error {
	var generated, compiled []took
	size := int64(0)
	for round := range rounds + 1 {
		if err := h.write(round); err != nil {
			return err
		}
		g, err := timed(ctx, h.dir, bucketgen, "-timeout", "5m", "./buckets")
		if err != nil {
			return err
		}
		c, err := timed(ctx, h.dir, "go", "build", "./gen")
		if err != nil {
			return err
		}
		if size, err = sizeOf(filepath.Join(h.dir, "gen")); err != nil {
			return err
		}
		if round > 0 {
			generated, compiled = append(generated, g), append(compiled, c)
		}
	}
	g, c := median(generated), median(compiled)
	fmt.Printf("| %d | %.2f s | %.2f s | %.1f MB | %.2f s | %.2f s |\n", h.buckets,
		g.wall.Seconds(), g.processors.Seconds(), float64(size)/1e6, c.wall.Seconds(), c.processors.Seconds())
	return nil
}

// took is how long a command took, and how long processors worked for it and for what it ran.
type took struct{ wall, processors time.Duration }

func timed(ctx context.Context, dir, name string, args ...string) (took, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return took{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return took{time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

func median(of []took) took {
	slices.SortFunc(of, func(a, b took) int { return int(a.wall - b.wall) })
	return of[len(of)/2]
}

func sizeOf(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}
