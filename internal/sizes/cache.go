package sizes

import (
	"context"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen"
)

// Cache keeps answers for callers who accept one of before, such as pages that are refreshed every
// second: those that refresh the same one share its cost. The zero value is ready. It is safe for
// concurrent use.
type Cache struct {
	mu      sync.Mutex
	lists   map[listKey]*cached[bucketgen.BucketPage]
	summary cached[bucketgen.Summary]
}

const (
	maxLists = 64 // maxLists is how many lists are kept

	// share is how many times what reading took passes before something is read anew, so that it
	// takes a fiftieth of the time.
	share = 50

	// fresh is for how long an answer is kept that takes no time to read.
	fresh = time.Second
)

// listKey is a query for a list, in a form that can be compared.
type listKey struct {
	text       string
	state      bucketgen.BucketState
	kind       string
	sort       bucketgen.BucketSort
	descending bool
	begins     bool
	after      bucketgen.BucketKey
	size       int
}

func keyOf(q *bucketgen.BucketQuery) listKey {
	k := listKey{text: q.Text, state: q.State, sort: q.Sort, descending: q.Descending, begins: q.After == nil, size: q.Size}
	if q.After != nil {
		k.after = *q.After
	}
	if q.Manual != nil {
		k.kind = map[bool]string{true: "manual", false: "dynamic"}[*q.Manual]
	}
	return k
}

// List returns a page of buckets, a kept one if the query allows it. A kept page is shared, so
// callers do not change its rows.
func (c *Cache) List(ctx context.Context, r *Reader, q bucketgen.BucketQuery) (bucketgen.BucketPage, error) {
	if q.MaxAge <= 0 {
		return r.List(ctx, q)
	}
	return c.list(keyOf(&q)).get(q.MaxAge, func() (bucketgen.BucketPage, error) { return r.List(ctx, q) })
}

// list returns where the answer to a query is kept. If there are too many, all are dropped: they
// are read again.
func (c *Cache) list(key listKey) *cached[bucketgen.BucketPage] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil || c.lists[key] == nil && len(c.lists) >= maxLists {
		c.lists = map[listKey]*cached[bucketgen.BucketPage]{}
	}
	one := c.lists[key]
	if one == nil {
		one = &cached[bucketgen.BucketPage]{}
		c.lists[key] = one
	}
	return one
}

// Summary returns how everything is doing, as it was at most maxAge ago.
func (c *Cache) Summary(ctx context.Context, r *Reader, maxAge time.Duration) (bucketgen.Summary, error) {
	if maxAge <= 0 {
		return r.Summary(ctx)
	}
	return c.summary.get(maxAge, func() (bucketgen.Summary, error) { return r.Summary(ctx) })
}

// cached is an answer that is kept. Its ages are of the monotonic clock: they bound work.
type cached[T any] struct {
	mu     sync.Mutex // mu is held while the answer is read, so that others wait for it
	answer T
	at     time.Time
	took   time.Duration
}

// get returns the kept answer, or reads another if that is too old.
func (k *cached[T]) get(maxAge time.Duration, read func() (T, error)) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	began := time.Now()
	if !k.at.IsZero() && began.Sub(k.at) < min(maxAge, max(fresh, share*k.took)) {
		return k.answer, nil
	}
	answer, err := read()
	if err != nil {
		return answer, err
	}
	k.answer, k.at, k.took = answer, began, time.Since(began)
	return answer, nil
}
