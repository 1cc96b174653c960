package backtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Options say what to run over the log, and what to compare it with.
type Options struct {
	// Registry is what is run.
	Registry *table.Registry

	// Buckets are the ids of the buckets that are reported. None: all of the registry.
	Buckets []string

	// Until is how far the clock runs.
	Until table.Instant

	// Compare says that each of the buckets is compared with another version: the bucket of the id
	// Bucket, or of its own id if that is empty. The other version is in Other, or what was
	// Recorded.
	Compare  bool
	Other    *table.Registry
	Bucket   string
	Recorded bool

	// Workers is how many users are simulated at once.
	Workers int

	// Progress is called after each chunk of users. Nil: it is not reported.
	Progress func(bucketgen.BackTestProgress)

	// Transition is called with each transition of a reported bucket. Nil: they are only counted.
	Transition func(bucketgen.Transition)
}

// Test is a back-test. One goroutine runs it, once.
type Test struct {
	pool    *pgxpool.Pool
	store   *store.Store
	options Options
	other   *table.Registry // the registry of the other versions; nil if none is simulated
	tested  []*tested
	logged  []string // ids of buckets whose transitions are read: manual ones, and those recorded

	users, events int64
}

// tested is a bucket that is reported, and its other version.
type tested struct {
	id      string
	index   table.BucketIndex
	total   Bucket
	against *against // nil: the bucket is not compared
}

// against is the other version of a bucket.
type against struct {
	id                   string
	index                table.BucketIndex // unless it is recorded
	total                Bucket
	pair                 Pair
	runUsers, otherUsers []string
	ends                 Shares
}

var errNotInRegistry = errors.New("the bucket is not in the registry that is run")

// New checks options and returns a back-test over the log of a store.
func New(pool *pgxpool.Pool, s *store.Store, o Options) (*Test, error) {
	t := &Test{pool: pool, store: s, options: o}
	if o.Compare && !o.Recorded {
		t.other = o.Other
	}
	if len(o.Buckets) == 0 {
		for i := range o.Registry.Buckets {
			o.Buckets = append(o.Buckets, o.Registry.Buckets[i].ID)
		}
	}
	var err error
	for _, id := range o.Buckets {
		index, known := o.Registry.Bucket(id)
		if !known {
			return nil, fmt.Errorf("bucket %q: %w", id, errNotInRegistry)
		}
		one := &tested{id: id, index: index}
		if o.Compare {
			if one.against, err = t.otherVersion(id); err != nil {
				return nil, err
			}
		}
		t.tested = append(t.tested, one)
	}
	for _, r := range []*table.Registry{o.Registry, t.other} {
		for i := 0; r != nil && i < len(r.Buckets); i++ {
			if r.Buckets[i].Kind == table.Manual {
				t.logged = append(t.logged, r.Buckets[i].ID)
			}
		}
	}
	return t, nil
}

// otherVersion finds what a bucket is compared with.
func (t *Test) otherVersion(id string) (*against, error) {
	a := &against{id: id}
	if t.options.Bucket != "" {
		a.id = t.options.Bucket
	}
	if t.options.Recorded {
		t.logged = append(t.logged, a.id)
		return a, nil
	}
	var known bool
	if a.index, known = t.other.Bucket(a.id); !known {
		return nil, fmt.Errorf("bucket %q: %w", a.id, errNotInRegistry)
	}
	return a, nil
}

// Run reads the log chunk by chunk, and returns what was found. While one chunk is simulated the
// next is read.
func (t *Test) Run(ctx context.Context) (bucketgen.BackTestResult, error) {
	err := t.run(ctx)
	if err != nil {
		return bucketgen.BackTestResult{}, err
	}
	return t.result(), nil
}

func (t *Test) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	total, err := t.store.Queries(t.pool).ContactsLast(ctx)
	if err != nil {
		return fmt.Errorf("read who is the last user: %w", err)
	}
	chunks := make(chan *chunk)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer cancel()
	reader.Go(func() {
		defer close(chunks)
		for after := int64(0); ; {
			c, err := t.read(ctx, after)
			if err != nil {
				c = &chunk{err: err}
			}
			select {
			case chunks <- c:
			case <-ctx.Done():
				return
			}
			if err != nil || len(c.users) == 0 {
				return
			}
			after = c.last
		}
	})
	for c := range chunks {
		if c.err != nil {
			return c.err
		}
		if err := t.simulate(ctx, c); err != nil {
			return err
		}
		t.users, t.events = t.users+int64(len(c.users)), t.events+c.events
		if t.options.Progress != nil && len(c.users) > 0 {
			t.options.Progress(bucketgen.BackTestProgress{Users: t.users, Events: t.events, Share: min(float64(c.last)/float64(max(total, 1)), 1)})
		}
	}
	return ctx.Err()
}

// simulate runs the definitions over the users of a chunk, several at once, and adds up what comes
// of it, user by user.
func (t *Test) simulate(ctx context.Context, c *chunk) error {
	ran, others := make([][]decide.Transition, len(c.users)), make([][]decide.Transition, len(c.users))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range t.options.Workers {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(c.users)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				ran[i] = Run(t.options.Registry, &c.users[i], t.options.Until)
				others[i] = ran[i]
				if t.other != nil && t.other != t.options.Registry {
					others[i] = Run(t.other, &c.users[i], t.options.Until)
				}
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range c.users {
		t.add(&c.users[i], ran[i], others[i])
	}
	return nil
}

// add adds what would have happened to a user.
func (t *Test) add(u *User, ran, other []decide.Transition) {
	until := t.options.Until
	for _, one := range t.tested {
		here := Changes(ran, one.index)
		one.total.Add(here, u.DeletedAt, until)
		if one.against == nil {
			continue
		}
		there := u.Recorded[one.against.id]
		if !t.options.Recorded {
			there = Changes(other, one.against.index)
		}
		one.against.add(u, here, there, until)
	}
	if t.options.Transition == nil {
		return
	}
	for _, made := range transact.Transitions(t.options.Registry, u.ID, ran) {
		if t.lists(made.BucketID) {
			t.options.Transition(made)
		}
	}
}

func (a *against) add(u *User, here, there []Change, until table.Instant) {
	a.total.Add(there, u.DeletedAt, until)
	switch inHere, inThere := a.pair.Add(here, there, u.DeletedAt, until); {
	case inHere && inThere:
		a.ends.Both++
	case inHere:
		a.ends.Here++
		a.runUsers = few(a.runUsers, u.ID)
	case inThere:
		a.ends.There++
		a.otherUsers = few(a.otherUsers, u.ID)
	}
}
