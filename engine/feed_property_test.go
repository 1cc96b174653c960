package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
)

// TestFeedReturnsEverythingOnce lets several writers on several engines do all that makes
// transitions, with transactions that commit late or never. A reader that stays on the feed, and
// one that comes back to some engine again and again, hear all that the log has, each once, and of
// each user in order.
func TestFeedReturnsEverythingOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro, regulars, dormant, proBuyers, testers)
	engines := []*engine.Engine{w.Engine, w.start(engine.Config{NoClock: true, NoDelivery: true}, nil), w.start(engine.Config{NoDelivery: true}, nil)}
	steady := hear(t, engines[1], engine.FeedOptions{})
	var writers sync.WaitGroup
	for n := range 4 {
		rng := rand.New(rand.NewPCG(uint64(n), 3))
		writers.Go(func() {
			for range 60 {
				if err := w.write(rng, engines[rng.IntN(len(engines))]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		writers.Wait()
		eventually(t, func() bool { // the clock of one of the engines comes to what the writers left to be done
			w.settle()
			return w.count("select count(*) from bucketgen.due where due_at <= $1", w.clock.Now()) == 0
		})
		w.identify("the last", map[string]any{"plan": "pro"})
	}()
	restless := w.restless(engines, steady.begun)
	<-written
	want := w.log()
	var heard []string
	for len(heard) == 0 || heard[len(heard)-1] != "bucket:pro:the last:entered:1" {
		heard = append(heard, keys(steady.next(1))...)
	}
	w.sameLog("heard all the time", heard, want)
	w.sameLog("heard with interruptions", restless, want)
}

// write does something that may make transitions.
func (w *world) write(rng *rand.Rand, e *engine.Engine) error {
	ctx := context.WithoutCancel(w.t.Context())
	user := "u" + itoa(rng.IntN(20))
	switch rng.IntN(6) {
	case 0:
		w.clock.Advance(time.Duration(rng.IntN(600)) * time.Minute)
		return nil
	case 1:
		refs := []func(context.Context, registry.ManualRef, string) ([]engine.Transition, error){e.Add, e.Remove}
		_, err := refs[rng.IntN(2)](ctx, w.manual("testers"), user)
		return ignore(err, engine.ErrDeleted)
	case 2:
		return w.writeLate(ctx, rng, e)
	case 3:
		if rng.IntN(2) == 0 {
			return e.Delete(ctx, user)
		}
		_, err := e.Restore(ctx, user)
		return err
	default:
		_, err := e.IngestBatch(ctx, randomEvents(rng, 1+rng.IntN(30), 20))
		return err
	}
}

// writeLate takes events in by a transaction that stays open for a while.
func (w *world) writeLate(ctx context.Context, rng *rand.Rand, e *engine.Engine) error {
	tx, err := w.pool.Begin(ctx)
	if err != nil {
		return err
	}
	events := randomEvents(rng, 3, 20)
	slices.SortFunc(events, func(a, b engine.Event) int { return len(a.UserID) - len(b.UserID) })
	if _, err := e.IngestTx(ctx, tx, events...); err != nil {
		return errors.Join(err, tx.Rollback(ctx))
	}
	for range rng.IntN(20) { // transactions of any users commit meanwhile
		if _, err := e.Ingest(ctx, engine.Event{UserID: "v" + itoa(rng.IntN(1000)), Traits: map[string]any{"plan": "pro"}}); err != nil {
			return errors.Join(err, tx.Rollback(ctx))
		}
	}
	if rng.IntN(3) == 0 {
		return tx.Rollback(ctx)
	}
	return tx.Commit(ctx)
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// restless hears the feed, of one engine after the other, up to the last transition.
func (w *world) restless(engines []*engine.Engine, after engine.Cursor) []string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), waitfor.Long) // if a transition never arrives
	defer cancel()
	rng := rand.New(rand.NewPCG(5, 5))
	var heard []string
	for {
		left := rng.IntN(40)
		for item, err := range engines[rng.IntN(len(engines))].Feed(ctx, engine.FeedOptions{After: after, Beat: time.Hour}) {
			if err != nil {
				w.t.Errorf("heard with interruptions: %v", err)
				return heard
			}
			var parsed error
			if after, parsed = engine.ParseCursor(item.Cursor.String()); parsed != nil {
				w.t.Fatal(parsed)
			}
			if item.Transition == nil {
				continue
			}
			heard = append(heard, item.Transition.Key())
			if item.Transition.UserID == "the last" {
				return heard
			}
			if left--; left < 0 {
				break
			}
		}
	}
}

// log returns the keys of what is in the log and was announced, in the order of ids.
func (w *world) log() []string {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `select 'bucket:' || b.id || ':' || c.user_id || ':' || t.kind || ':' || t.entry_count
		from bucketgen.transitions t join bucketgen.buckets b on b.no = t.bucket_no join bucketgen.contacts c on c.id = t.contact_id
		where not t.suppressed order by t.id`)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// sameLog checks that all was heard, each once, and of each user in the order of the log.
func (w *world) sameLog(how string, heard, want []string) {
	w.t.Helper()
	place := map[string]int{}
	for i, key := range want {
		place[key] = i
	}
	latest, seen := map[string]int{}, map[string]bool{}
	for _, key := range heard {
		at, logged := place[key]
		user := strings.Split(key, ":")[2]
		switch {
		case !logged:
			w.t.Errorf("%s: %s is not in the log", how, key)
		case seen[key]:
			w.t.Errorf("%s: %s arrived twice", how, key)
		case at < latest[user]:
			w.t.Errorf("%s: %s arrived after %s", how, key, want[latest[user]])
		}
		latest[user], seen[key] = at, true
	}
	for _, key := range want {
		if !seen[key] {
			w.t.Errorf("%s: %s did not arrive", how, key)
		}
	}
	w.t.Logf("%s: %d of %d", how, len(heard), len(want))
}
