package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// measure measures everything, and prints it.
func (s *site) measure(ctx context.Context, o options) error {
	if o.requests > 0 {
		if err := s.pages(ctx, o); err != nil {
			return err
		}
	}
	if o.rounds > 0 {
		if err := s.beside(ctx, o); err != nil {
			return err
		}
	}
	if o.rate > 0 {
		return s.memory(ctx, o)
	}
	return nil
}

// beside measures ingest without and with viewers in turns.
func (s *site) beside(ctx context.Context, o options) error {
	load := newLoad(o.scale)
	warm := o
	warm.span = o.warm // caches fill, and are read
	if _, err := load.run(ctx, s.engine, warm); err != nil {
		return err
	}
	var rates [2][]float64
	var ratios []float64
	var program, server [2][]float64 // milliseconds of processor time for 1,000 events
	seen := &atomic.Int64{}
	for round := range o.rounds {
		for turn := range 2 {
			watched := (turn+round)%2 == 1
			before, err := s.processor(ctx)
			if err != nil {
				return err
			}
			rate, err := s.watched(ctx, o, watched, seen, load)
			if err != nil {
				return err
			}
			after, err := s.processor(ctx)
			if err != nil {
				return err
			}
			i := 0
			if watched {
				i = 1
			}
			rates[i] = append(rates[i], rate)
			ofProgram, ofServer := after.minus(before).of(rate * o.span.Seconds())
			program[i], server[i] = append(program[i], ofProgram), append(server[i], ofServer)
		}
		ratios = append(ratios, rates[1][round]/rates[0][round])
		fmt.Printf("round %d: %.0f events/s without viewers, %.0f with %d\n", round+1, rates[0][round], rates[1][round], o.viewers)
	}
	without, with := median(rates[0]), median(rates[1])
	fmt.Printf("ingest: %.0f events/s without viewers, %.0f with %d: %+.1f %% (bar -2 %%); they read %.1f MB\n",
		without, with, o.viewers, 100*(median(ratios)-1), float64(seen.Load())/1e6)
	fmt.Printf("processor time of 1,000 events: program %.1f ms without viewers, %.1f with; server %.1f and %.1f; both %+.1f %%\n",
		median(program[0]), median(program[1]), median(server[0]), median(server[1]),
		100*((median(program[1])+median(server[1]))/(median(program[0])+median(server[0]))-1))
	return nil
}

// watched runs ingest, beside viewers or not.
func (s *site) watched(ctx context.Context, o options, watched bool, seen *atomic.Int64, load *load) (float64, error) {
	looking, stop := context.WithCancel(ctx)
	var viewers sync.WaitGroup
	failed := make(chan error, o.viewers)
	if watched {
		for i := range o.viewers {
			viewers.Go(func() {
				if err := s.view(looking, i, seen); err != nil && looking.Err() == nil {
					failed <- err
				}
			})
		}
	}
	rate, err := profiled(o.profile, watched, func() (float64, error) { return load.run(ctx, s.engine, o) })
	stop()
	viewers.Wait()
	close(failed)
	for of := range failed {
		err = errors.Join(err, of)
	}
	return rate, err
}

// profiled writes a profile of what is run, if there is a file for it.
func profiled(name string, wanted bool, run func() (float64, error)) (float64, error) {
	if name == "" || !wanted {
		return run()
	}
	file, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return 0, errors.Join(err, file.Close())
	}
	rate, err := run()
	pprof.StopCPUProfile()
	return rate, errors.Join(err, file.Close())
}

// view does what a browser does with an open page, until its context ends: the even viewers read
// the stream of the live page, the odd ones refresh the overview. All refresh the strip.
func (s *site) view(ctx context.Context, i int, seen *atomic.Int64) error {
	var both sync.WaitGroup
	defer both.Wait()
	if i%2 == 0 {
		both.Go(func() { _ = s.read(ctx, fmt.Sprintf("%s/v1/stream?pace=%d", prefix, s.pace.Milliseconds()), seen) })
	}
	const stripEvery, listEvery = 2 * time.Second, time.Second
	since := "" // since is the edition of the list that the page has
	strip, list := time.NewTicker(stripEvery), time.NewTicker(listEvery)
	defer strip.Stop()
	defer list.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-strip.C:
			err = s.read(ctx, prefix+"/strip", seen)
		case <-list.C:
			if i%2 == 1 {
				since, err = s.refresh(ctx, since, seen)
			}
		}
		if err != nil {
			return err
		}
	}
}

// edition matches the edition of a list, with which the page asks for a newer one.
var edition = regexp.MustCompile(`since=([^"&]+)`)

// refresh asks for a list that is newer than an edition, and returns its edition. If there is none,
// the answer is empty.
func (s *site) refresh(ctx context.Context, since string, seen *atomic.Int64) (string, error) {
	var text bytes.Buffer
	if err := s.copy(ctx, prefix+"/?part=buckets&since="+since, &text, seen); err != nil || text.Len() == 0 {
		return since, err
	}
	unzipped, err := gzip.NewReader(&text)
	if err != nil {
		return since, err
	}
	html, err := io.ReadAll(unzipped)
	if err != nil {
		return since, err
	}
	if found := edition.FindSubmatch(html); found != nil {
		since = string(found[1])
	}
	return since, nil
}

// read reads an answer and keeps none of it.
func (s *site) read(ctx context.Context, address string, seen *atomic.Int64) error {
	return s.copy(ctx, address, io.Discard, seen)
}

// copy writes an answer as it was sent, compressed.
func (s *site) copy(ctx context.Context, address string, to io.Writer, seen *atomic.Int64) error {
	r, err := s.request(ctx, address)
	if err != nil {
		return err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := s.Client().Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	n, err := io.Copy(to, response.Body)
	seen.Add(n)
	return err
}

// load is a mixture of events of active users: one in changes is of a trait, by which the user
// leaves a bucket and enters another.
type load struct {
	events []engine.Event
	next   atomic.Int64
}

const (
	sample  = 200_000 // sample is how many events a load has
	active  = 20_000  // active is how many users they are of, so that processors and not disks are the limit
	changes = 20
	moving  = 2000 // moving is how many users a viewer watches: their cache stops growing
)

func newLoad(size scale) *load {
	rng := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // a fixed seed is the point
	l := &load{events: make([]engine.Event, sample)}
	for i := range l.events {
		ev := engine.Event{UserID: userID(1 + rng.IntN(min(size.users, active))), Name: opened, Properties: map[string]any{"screen": "home", "session": rng.IntN(10_000)}}
		if i%changes == 0 {
			ev.Traits = map[string]any{groupName(rng.IntN(groups)): strconv.Itoa(rng.IntN(size.each()))}
		}
		l.events[i] = ev
	}
	return l
}

// run lets callers ingest for a while, one event after the other, and returns the rate.
func (l *load) run(ctx context.Context, e *engine.Engine, o options) (float64, error) {
	began, done := time.Now(), &atomic.Int64{}
	var all sync.WaitGroup
	failed := make([]error, o.callers)
	for c := range o.callers {
		all.Go(func() {
			for time.Since(began) < o.span && failed[c] == nil {
				ev := l.events[int(l.next.Add(1))%len(l.events)]
				_, failed[c] = e.Ingest(ctx, ev)
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), errors.Join(failed...)
}

// memory lets a viewer watch transitions at a rate, and prints by how much the memory of the
// process grew.
func (s *site) memory(ctx context.Context, o options) error {
	looking, stop := context.WithCancel(ctx)
	defer stop()
	var viewer sync.WaitGroup
	seen := &atomic.Int64{}
	viewer.Go(func() { _ = s.view(looking, 0, seen) })
	rng := rand.New(rand.NewPCG(9, 9)) //nolint:gosec // a fixed seed is the point
	var before uint64
	var made int64
	began := time.Now()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	for time.Since(began) < o.stream {
		was := s.engine.Stats().Transitions
		if _, err := s.engine.IngestBatch(ctx, movers(rng, o.scale, o.rate/2/10)); err != nil {
			return err
		}
		made += s.engine.Stats().Transitions - was
		if before == 0 && time.Since(began) > o.stream/6 { // buffers have their size by then
			before = heap()
		}
		<-pace.C
	}
	took, after := time.Since(began), heap()
	stop()
	viewer.Wait()
	fmt.Printf("stream: %.0f transitions/s for %s to a viewer who read %.1f MB: heap %.1f MB, then %.1f MB (%+.1f MB; bar +20 MB in 10 minutes)\n",
		float64(made)/took.Seconds(), took.Round(time.Second), float64(seen.Load())/1e6, float64(before)/1e6, float64(after)/1e6,
		(float64(after)-float64(before))/1e6)
	return nil
}

// movers are events by which users move from a bucket to another: two transitions each.
func movers(rng *rand.Rand, size scale, n int) []engine.Event {
	all := make([]engine.Event, n)
	for i := range all {
		group := rng.IntN(groups)
		all[i] = engine.Event{
			UserID: userID(1 + rng.IntN(min(size.users, moving))), Traits: map[string]any{groupName(group): strconv.Itoa(size.each()/2 + rng.IntN(size.each()/2))},
		}
	}
	return all
}

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func median(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[len(sorted)/2]
}
