package lookup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Config configures a lookup. The zero value is a good one.
type Config struct {
	// Users is how many users are remembered at most, unknown ones too: some 200 bytes each, and 4
	// for each bucket that they are in. Defaults to 100,000.
	Users int

	// MaxStale is how far an answer may be behind what was committed before it was asked for. It
	// must be longer than the engine's FeedPoll, or the database answers most of the time. Defaults
	// to 250 ms.
	MaxStale time.Duration
}

// Lookup answers which buckets users are in. [New] makes one. It may be used from several
// goroutines. While it does not run it asks the database each time.
type Lookup struct {
	engine   *engine.Engine
	registry *registry.Registry
	refs     []registry.Ref // by table.BucketIndex
	config   Config
	memory   *memory

	born      time.Time
	trusted   atomic.Int64 // what is remembered counts until then, in nanoseconds since it was born
	fallbacks atomic.Int64

	mu      sync.Mutex // of Start and Stop
	cancel  context.CancelFunc
	ended   chan struct{}
	started bool
}

// New makes a lookup on an engine, which need not have been started. Its cache is empty until it is
// started itself.
func New(e *engine.Engine, c Config) (*Lookup, error) {
	if e == nil {
		return nil, errors.New("lookup.New: the engine is nil")
	}
	if c.Users < 0 {
		return nil, fmt.Errorf("lookup.Config.Users is %d; it must be positive, or zero for the default", c.Users)
	}
	if c.MaxStale < 0 {
		return nil, fmt.Errorf("lookup.Config.MaxStale is %s; it must be positive, or zero for the default", c.MaxStale)
	}
	if c.Users == 0 {
		c.Users = 100_000
	}
	if c.MaxStale == 0 {
		c.MaxStale = 250 * time.Millisecond
	}
	r := e.Registry()
	l := &Lookup{engine: e, registry: r, refs: make([]registry.Ref, len(r.Tables().Buckets)), config: c, memory: newMemory(c.Users), born: time.Now()}
	for i := range r.Tables().Buckets {
		l.refs[i] = registry.NewRef(r.Tables().Buckets[i].ID, table.BucketIndex(i))
	}
	return l, nil
}

// Start begins to remember, once the engine has started. ctx is for that only. A lookup is started
// once.
func (l *Lookup) Start(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started {
		return errors.New("lookup: it was started before; make another with lookup.New")
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	first, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		l.run(background, first)
	}()
	var err error
	select {
	case err = <-first:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		<-ended
		return fmt.Errorf("lookup: %w", err)
	}
	l.started, l.cancel, l.ended = true, cancel, ended
	return nil
}

// Stop ends the work, before the engine stops. From then on the database answers. Stopping again
// does nothing.
func (l *Lookup) Stop(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
		<-l.ended
	}
	return nil
}

// String says what the lookup does.
func (l *Lookup) String() string {
	return fmt.Sprintf("lookups from memory: of %d users at most, never more than %s behind", l.config.Users, l.config.MaxStale)
}

// Engine returns the engine that the lookup asks.
func (l *Lookup) Engine() *engine.Engine { return l.engine }

// longGap is how long the lookup may have looked away without forgetting everybody: what makes
// users vanish can be seen for an hour.
const longGap = 10 * time.Minute

// run invalidates users who may have changed, until ctx ends or the engine stops. It reports when
// it has begun, or why not.
func (l *Lookup) run(ctx context.Context, first chan<- error) {
	last := l.born
	for round, err := range l.engine.Invalidations(ctx) {
		if err != nil {
			l.trusted.Store(0)
			select {
			case first <- err:
			default: // it had begun
			}
			return
		}
		if round.Lost || round.Began.Sub(last) > longGap {
			l.memory.clear()
		}
		for _, user := range round.Users {
			l.memory.drop(user)
		}
		last = round.Began
		l.trusted.Store(int64(round.Began.Add(l.config.MaxStale).Sub(l.born)))
		select {
		case first <- nil:
		default:
		}
	}
}

// Fresh reports whether what is remembered counts at present. It does not while the database is
// away, or slow.
func (l *Lookup) Fresh() bool { return int64(time.Since(l.born)) < l.trusted.Load() }

// Has reports whether a user is in a bucket, as of MaxStale before the call at the earliest. Users
// who are unknown or deleted are in none. A ref that belongs to no bucket of the registry gives
// [engine.ErrUnknownBucket].
func (l *Lookup) Has(ctx context.Context, bucket registry.BucketRef, userID string) (bool, error) {
	b, err := l.place(bucket)
	if err != nil {
		return false, err
	}
	if !l.Fresh() {
		l.fallbacks.Add(1)
		return l.engine.Has(ctx, l.refs[b], userID)
	}
	if has, known := l.memory.has(userID, b); known {
		return has, nil
	}
	in, err := l.load(ctx, userID)
	if err != nil {
		return false, err
	}
	return holds(in[0], b), nil
}

// Buckets returns the buckets that a user is in, in the order of ids, as of MaxStale before the
// call at the earliest. The slice is the caller's.
func (l *Lookup) Buckets(ctx context.Context, userID string) ([]registry.Ref, error) {
	all, err := l.BucketsEach(ctx, userID)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// HasEach is as Has, of many users. Those who are not remembered are read by one query.
func (l *Lookup) HasEach(ctx context.Context, bucket registry.BucketRef, userIDs ...string) ([]bool, error) {
	b, err := l.place(bucket)
	if err != nil {
		return nil, err
	}
	all, err := l.each(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	has := make([]bool, len(all))
	for i, in := range all {
		has[i] = holds(in, b)
	}
	return has, nil
}

// BucketsEach is as Buckets, of many users. Those who are not remembered are read by one query.
func (l *Lookup) BucketsEach(ctx context.Context, userIDs ...string) ([][]registry.Ref, error) {
	all, err := l.each(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	refs := make([][]registry.Ref, len(all))
	for i, in := range all {
		refs[i] = make([]registry.Ref, len(in))
		for n, b := range in {
			refs[i][n] = l.refs[b]
		}
	}
	return refs, nil
}

// place returns the place of a bucket. It lets nothing escape, so that a ref that becomes an
// interface is not allocated.
func (l *Lookup) place(bucket registry.BucketRef) (table.BucketIndex, error) {
	var ref registry.Ref
	switch bucket := bucket.(type) {
	case registry.Ref:
		ref = bucket
	case registry.ManualRef:
		ref = bucket.Ref
	default:
		return 0, fmt.Errorf("lookup: no bucket was given: %w", engine.ErrUnknownBucket)
	}
	if b, known := l.registry.ResolveRef(ref); known {
		return b, nil
	}
	return 0, fmt.Errorf("lookup: bucket %q: %w", ref.ID(), engine.ErrUnknownBucket)
}

// Stats is what a lookup has done since it was made.
type Stats struct {
	Hits      int64 // answers about a user from memory
	Misses    int64 // users who were read from the database, because they were not remembered
	Fallbacks int64 // users who were read because what is remembered did not count
	Users     int   // who are remembered
}

// Stats returns the present figures.
func (l *Lookup) Stats() Stats {
	s := l.memory.stats()
	s.Fallbacks = l.fallbacks.Load()
	return s
}
