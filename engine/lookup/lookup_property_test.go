package lookup_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/lookup"
	"github.com/bucketgen/bucketgen/registry"
)

const maxStale = 30 * time.Millisecond

// TestLookupIsNeverMoreThanSoStale lets writers do to their users, on two engines, all that changes
// what those are in, while others ask. Each waits after a change for as long as answers may be
// behind; then the lookups of both engines say what the database says.
func TestLookupIsNeverMoreThanSoStale(t *testing.T) {
	t.Parallel()
	config := engine.Config{FeedPoll: 5 * time.Millisecond}
	w := newWorld(t, config)
	s := &stale{world: w, engines: []*engine.Engine{w.Engine, w.another(config)}}
	for _, e := range s.engines {
		s.lookups = append(s.lookups, w.lookup(e, lookup.Config{MaxStale: maxStale, Users: 30}))
	}
	asking, stop := context.WithCancel(t.Context())
	var askers sync.WaitGroup
	defer askers.Wait()
	defer stop()
	for n := range 2 {
		askers.Go(func() { s.ask(asking, rand.New(rand.NewPCG(uint64(n), 1))) })
	}
	for phase := range 4 {
		var writers sync.WaitGroup
		for n := range 4 {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(phase)))
			writers.Go(func() {
				for range 15 {
					user := "u" + strconv.Itoa(10*n+rng.IntN(10))
					if err := s.write(rng, user); err != nil {
						t.Error(err)
						return
					}
					s.check(user)
				}
			})
		}
		writers.Wait()
		w.Time.Advance(time.Duration(20*phase) * time.Hour)
		if _, err := s.engines[phase%2].Clock().RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.check(s.users()...)
	}
	for _, l := range s.lookups {
		t.Logf("%+v", l.Stats())
		if l.Stats().Hits == 0 || l.Stats().Misses == 0 {
			t.Error("it was not asked for both what it remembers and what it does not")
		}
	}
}

type stale struct {
	*world
	engines []*engine.Engine
	lookups []*lookup.Lookup
}

func (s *stale) users() []string {
	users := make([]string, 40)
	for i := range users {
		users[i] = "u" + strconv.Itoa(i)
	}
	return users
}

// ask asks for anything, so that users are remembered and read while they change.
func (s *stale) ask(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil {
		l, user := s.lookups[rng.IntN(2)], "u"+strconv.Itoa(rng.IntN(40))
		var err error
		if rng.IntN(4) == 0 {
			_, err = l.HasEach(ctx, s.ref("pro"), s.users()...)
		} else {
			_, err = l.Has(ctx, s.ref("pro"), user)
		}
		if err != nil && ctx.Err() == nil {
			s.t.Error(err)
		}
	}
}

// write does something to a user.
func (s *stale) write(rng *rand.Rand, user string) error {
	ctx, e := s.t.Context(), s.engines[rng.IntN(2)]
	event := engine.Event{UserID: user, Name: "visit", Traits: map[string]any{"plan": []any{"pro", "free"}[rng.IntN(2)]}}
	testers := registry.NewManualRef("testers", 0)
	var err error
	switch rng.IntN(7) {
	case 0:
		err = e.Delete(ctx, user)
	case 1:
		_, err = e.Restore(ctx, user)
	case 2:
		_, err = e.Add(ctx, testers, user)
	case 3:
		_, err = e.Remove(ctx, testers, user)
	case 4:
		tx, begin := s.Pool.Begin(ctx)
		if begin != nil {
			return begin
		}
		if _, err := e.IngestTx(ctx, tx, event); err != nil {
			return errors.Join(err, tx.Rollback(ctx))
		}
		err = tx.Commit(ctx)
	default:
		_, err = e.Ingest(ctx, event)
	}
	if errors.Is(err, engine.ErrDeleted) {
		return nil
	}
	return err
}

// check compares what lookups say of users with what the database says, once answers must be right.
func (s *stale) check(users ...string) {
	done := time.Now()
	eventually(s.t, func() bool { return time.Since(done) > maxStale })
	want, err := s.engines[0].BucketsOf(s.t.Context(), users...)
	if err != nil {
		s.t.Error(err)
		return
	}
	for i, l := range s.lookups {
		got, err := l.BucketsEach(s.t.Context(), users...)
		if err != nil {
			s.t.Error(err)
			return
		}
		for n, user := range users {
			if !slices.Equal(ids(got[n]), ids(want[n].Buckets)) {
				s.t.Errorf("lookup %d says that %s is in %v, want %v", i, user, ids(got[n]), ids(want[n].Buckets))
			}
		}
	}
}
