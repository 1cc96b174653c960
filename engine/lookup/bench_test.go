package lookup_test

import (
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/lookup"
)

// BenchmarkHas asks for users who are remembered, by one caller and by many, and says how many
// times as long the database takes for the same in the same run.
func BenchmarkHas(b *testing.B) {
	w := newWorld(b, engine.Config{})
	e := w.Engine
	users := make([]string, 10_000)
	events := make([]engine.Event, len(users))
	for i := range users {
		users[i] = "user-" + strconv.Itoa(i)
		events[i] = isPro(users[i])
	}
	w.ingest(e, events...)
	l := w.lookup(e, lookup.Config{MaxStale: time.Hour}) // so that what is measured is a hit
	if _, err := l.BucketsEach(b.Context(), users...); err != nil {
		b.Fatal(err)
	}
	ref, ctx := w.ref("pro"), b.Context()
	const probes = 2000
	began := time.Now()
	for i := range probes {
		if has, err := e.Has(ctx, ref, users[i]); err != nil || !has {
			b.Fatal(has, err)
		}
	}
	database := time.Since(began) / probes
	report := func(b *testing.B, before time.Duration) {
		b.Helper()
		b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op") // where others use the machine, too
		b.ReportMetric(float64(database)/(float64(b.Elapsed())/float64(b.N)), "times-faster-than-database")
		b.ReportMetric(float64(database), "database-ns/op")
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		before := processor(b)
		for i := 0; b.Loop(); i++ {
			if has, err := l.Has(ctx, ref, users[i%len(users)]); err != nil || !has {
				b.Fatal(has, err)
			}
		}
		report(b, before)
	})
	b.Run("many", func(b *testing.B) {
		b.ReportAllocs()
		before := processor(b)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if has, err := l.Has(ctx, ref, users[i%len(users)]); err != nil || !has {
					b.Error(has, err)
				}
			}
		})
		report(b, before)
	})
	if got := l.Stats(); got.Misses != int64(len(users)) {
		b.Errorf("got %+v, want no more misses than users", got)
	}
}

// processor returns how much time of processors this process has taken.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkStaleness lets users join on one engine, and says how long after the commit the lookup
// of another could be asked and still say that they have not: after a commit of an engine that
// notifies, and of a caller's transaction, which does not.
func BenchmarkStaleness(b *testing.B) {
	for _, notifies := range []bool{true, false} {
		b.Run(fmt.Sprintf("notified=%v", notifies), func(b *testing.B) {
			w := newWorld(b, engine.Config{})
			writer, reader := w.Engine, w.another(engine.Config{})
			l := w.lookup(reader, lookup.Config{})
			ref, ctx := w.ref("pro"), b.Context()
			var behind []time.Duration
			for i := 0; b.Loop(); i++ {
				user := "user-" + strconv.Itoa(i)
				if has, err := l.Has(ctx, ref, user); err != nil || has { // so that it is remembered
					b.Fatal(has, err)
				}
				join(b, w, writer, user, notifies)
				committed := time.Now()
				last := time.Duration(0)
				for {
					asked := time.Since(committed)
					has, err := l.Has(ctx, ref, user)
					if err != nil {
						b.Fatal(err)
					}
					if has {
						break
					}
					last = asked
				}
				behind = append(behind, last)
			}
			slices.Sort(behind)
			for name, at := range map[string]int{"p50-ms": len(behind) / 2, "p99-ms": len(behind) * 99 / 100, "max-ms": len(behind) - 1} {
				b.ReportMetric(float64(behind[at])/float64(time.Millisecond), name)
			}
		})
	}
}
