package main

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/bucketgen/bucketgen/registry/table"
)

// world is a number of buckets, events, and the engines that match them.
type world struct {
	buckets int
	ours    ours
	others  []matcher
	scans   bool // whether the others are measured without an index, too
}

// mostScanned is how many buckets are asked one after the other at most: more would take all day.
const mostScanned = 1000

func newWorld(buckets int, o options) (*world, error) {
	all := o.workload.definitions(buckets)
	r, err := registryOf(all)
	if err != nil {
		return nil, err
	}
	happened := o.workload.events(o.events)
	w := &world{buckets: buckets, ours: ours{r, o.workload.moments(r, happened)}, scans: buckets <= mostScanned}
	if !o.others {
		return w, nil
	}
	withExpr, err := newExpr(all, happened)
	if err != nil {
		return nil, err
	}
	withCEL, err := newCEL(all, happened)
	if err != nil {
		return nil, err
	}
	w.others = []matcher{withExpr, withCEL}
	return w, nil
}

// agree makes sure that everybody says the same of every bucket that an event is about, and that
// the index leaves out none of those that hold.
func (w *world) agree() error {
	var candidates, got, want []table.BucketIndex
	for i := range w.ours.moments {
		candidates = w.ours.candidates(candidates[:0], i)
		want, _ = w.ours.matches(want[:0], candidates, i)
		for _, m := range w.others {
			var err error
			if got, err = m.matches(got[:0], w.about(i), i); err != nil {
				return fmt.Errorf("%s: %w", m.name(), err)
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("of event %d %s finds %d buckets and bucketgen %d: %v and %v", i, m.name(), len(got), len(want), got, want)
			}
		}
	}
	return nil
}

// about returns the buckets that ask about anything that an event carries.
func (w *world) about(event int) []table.BucketIndex {
	carried := w.ours.moments[event].carried
	var all []table.BucketIndex
	for i := range w.ours.registry.Buckets {
		b := &w.ours.registry.Buckets[i]
		if slices.Contains(b.Events, carried.Event) ||
			slices.ContainsFunc(carried.Properties, func(p table.PropertyIndex) bool { return slices.Contains(b.Properties, p) }) {
			all = append(all, table.BucketIndex(i))
		}
	}
	return all
}

// result is the measurement of a number of buckets, for an event.
type result struct {
	buckets                        int
	about                          float64 // buckets that ask about what it carries
	opened                         float64 // of those, the ones that an index by value leaves
	candidates, memberOf, matches  float64
	narrow, evaluate, ours, allocs float64 // nanoseconds, and allocations
	others, scans                  []float64
}

const heading = `| buckets | asking | by value | candidates | member of | matches | find | evaluate | bucketgen | allocations | expr | cel-go | expr, scan | cel-go, scan |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|`

func (r result) String() string {
	row := fmt.Sprintf("| %d | %.1f | %.1f | %.1f | %.1f | %.1f | %.0f ns | %.0f ns | %.0f ns | %.2f |",
		r.buckets, r.about, r.opened, r.candidates, r.memberOf, r.matches, r.narrow, r.evaluate, r.ours, r.allocs)
	for _, list := range [][]float64{r.others, r.scans} {
		for n := range 2 {
			if n >= len(list) {
				row += " – |"
				continue
			}
			row += fmt.Sprintf(" %.0f ns, ×%.1f |", list[n], list[n]/r.ours)
		}
	}
	return row
}

// measure measures everybody in turns, so that what else the machine does is the same for all. The
// others are asked about what an index by value leaves; what it takes to find that is not even
// counted.
func (w *world) measure(o options) (result, error) {
	r := w.counts()
	all := make([]table.BucketIndex, w.buckets)
	for i := range all {
		all[i] = table.BucketIndex(i)
	}
	found, opened := make([][]table.BucketIndex, len(w.ours.moments)), make([][]table.BucketIndex, len(w.ours.moments))
	for i := range found {
		found[i], opened[i] = w.ours.candidates(nil, i), w.ours.opened(i)
	}
	var narrow, evaluate, both []float64
	others, scans := make([][]float64, len(w.others)), make([][]float64, len(w.others))
	buffer, matched := make([]table.BucketIndex, 0, w.buckets), make([]table.BucketIndex, 0, w.buckets)
	for range o.rounds {
		err := profiled(o.profile, func() error {
			both = append(both, w.time(o.span, func(event int) {
				buffer = w.ours.candidates(buffer[:0], event)
				matched, _ = w.ours.matches(matched[:0], buffer, event)
			}))
			return nil
		})
		if err != nil {
			return r, err
		}
		narrow = append(narrow, w.time(o.span, func(event int) { buffer = w.ours.candidates(buffer[:0], event) }))
		evaluate = append(evaluate, w.time(o.span, func(event int) { matched, _ = w.ours.matches(matched[:0], found[event], event) }))
		for n, m := range w.others {
			others[n] = append(others[n], w.time(o.span, func(event int) { matched, err = m.matches(matched[:0], opened[event], event) }))
			if w.scans {
				scans[n] = append(scans[n], w.time(o.span, func(event int) { matched, err = m.matches(matched[:0], all, event) }))
			}
			if err != nil {
				return r, fmt.Errorf("%s: %w", m.name(), err)
			}
		}
	}
	r.narrow, r.evaluate, r.ours = best(narrow), best(evaluate), best(both)
	r.allocs = w.allocations(func(event int) {
		buffer = w.ours.candidates(buffer[:0], event)
		matched, _ = w.ours.matches(matched[:0], buffer, event)
	})
	for n := range w.others {
		r.others = append(r.others, best(others[n]))
		if w.scans {
			r.scans = append(r.scans, best(scans[n]))
		}
	}
	return r, nil
}

func (w *world) counts() result {
	r := result{buckets: w.buckets}
	var candidates, matched []table.BucketIndex
	for i := range w.ours.moments {
		candidates = w.ours.candidates(candidates[:0], i)
		matched, _ = w.ours.matches(matched[:0], candidates, i)
		r.about += float64(len(w.about(i)))
		r.opened += float64(len(w.ours.opened(i)))
		r.candidates += float64(len(candidates))
		r.memberOf += float64(len(w.ours.moments[i].memberOf))
		r.matches += float64(len(matched))
	}
	for _, n := range []*float64{&r.about, &r.opened, &r.candidates, &r.memberOf, &r.matches} {
		*n /= float64(len(w.ours.moments))
	}
	return r
}

// time returns how many nanoseconds of processor time f takes for an event: all of them, again and
// again for about so long. What else the machine does takes from the time of the day, but hardly
// from that.
func (w *world) time(span time.Duration, f func(event int)) float64 {
	done := 0
	began := spent()
	for {
		for i := range w.ours.moments {
			f(i)
		}
		done += len(w.ours.moments)
		if took := spent() - began; took >= span {
			return float64(took.Nanoseconds()) / float64(done)
		}
	}
}

// spent returns the processor time that this process has taken, collecting garbage included.
func spent() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // there is no such system
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// allocations returns how often f allocates memory for an event, once it has what it uses again and
// again: garbage collection takes that away now and then.
func (w *world) allocations(f func(event int)) float64 {
	f(0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range w.ours.moments {
		f(i)
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(len(w.ours.moments))
}

// best is the round in which the machine did the least else.
func best(of []float64) float64 { return slices.Min(of) }
