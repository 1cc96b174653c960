package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/criteria"
	"github.com/bucketgen/bucketgen/internal/inspect"
	"github.com/bucketgen/bucketgen/internal/sizes"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// BucketQuery says which buckets a list has, and in which order.
type BucketQuery = bucketgen.BucketQuery

// BucketPage is a page of a list of buckets.
type BucketPage = bucketgen.BucketPage

// BucketRow is a bucket in a list, with its numbers.
type BucketRow = bucketgen.BucketRow

// Summary is how a database and the engines on it are doing.
type Summary = bucketgen.Summary

// Buckets returns a page of the buckets of the engine's registry, and of those that have members
// and are not in it. It counts no members, so its time does not grow with their number.
func (g *Inspect) Buckets(ctx context.Context, q BucketQuery) (BucketPage, error) {
	r, err := g.sizes()
	if err != nil {
		return BucketPage{}, fmt.Errorf("list buckets: %w", err)
	}
	page, err := (*Engine)(g).sizeCache.List(ctx, r, q)
	if err != nil {
		return BucketPage{}, fmt.Errorf("list buckets: %w", err)
	}
	return page, nil
}

// Bucket returns a bucket of the engine's registry, as it is now.
func (g *Inspect) Bucket(ctx context.Context, bucket registry.BucketRef) (Bucket, error) {
	e := (*Engine)(g)
	b, err := e.lookup(bucket)
	if err == nil {
		_, err = e.refresh(ctx)
	}
	if err != nil {
		return Bucket{}, fmt.Errorf("bucket: %w", err)
	}
	return e.described(b), nil
}

// Summary returns how the database and the engines on it are doing. maxAge allows an answer of
// before, as [BucketQuery.MaxAge] does. Defaults to 0: the summary is read now.
func (g *Inspect) Summary(ctx context.Context, maxAge time.Duration) (Summary, error) {
	r, err := g.sizes()
	if err != nil {
		return Summary{}, fmt.Errorf("summary: %w", err)
	}
	s, err := (*Engine)(g).sizeCache.Summary(ctx, r, maxAge)
	if err != nil {
		return Summary{}, fmt.Errorf("summary: %w", err)
	}
	return s, nil
}

// sizes returns what reads sizes at the present time.
func (g *Inspect) sizes() (*sizes.Reader, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return nil, err
	}
	return &sizes.Reader{Pool: e.reads(), Store: e.store, Registry: e.registry, Now: e.Now()}, nil
}

// Criteria is the criteria of a bucket as a tree.
type Criteria = bucketgen.Criteria

// Uses is what uses a bucket.
type Uses = bucketgen.Uses

// Criteria returns the criteria of a bucket as a tree.
func (g *Inspect) Criteria(bucket registry.BucketRef) (Criteria, error) {
	e := (*Engine)(g)
	b, err := e.bucket(bucket)
	if err != nil {
		return Criteria{}, fmt.Errorf("criteria: %w", err)
	}
	return criteria.Of(e.registry, b), nil
}

// Uses returns what a bucket depends on, and what depends on it. Of subscriptions it returns the
// first 1000.
func (g *Inspect) Uses(ctx context.Context, bucket registry.BucketRef) (Uses, error) {
	e := (*Engine)(g)
	b, err := e.lookup(bucket)
	if err != nil {
		return Uses{}, fmt.Errorf("uses: %w", err)
	}
	u := criteria.Uses(e.registry, b)
	u.Subscriptions, _, err = g.subscriptions(ctx, e.store.Bucket(b), "", 0)
	if err != nil {
		return Uses{}, fmt.Errorf("uses: %w", err)
	}
	return u, nil
}

// Subscriptions returns a page of the subscriptions to transitions, by name, those of other
// programs on the database among them: those after a name, up to a number. A size of 0, or more
// than 1000, is
// 1000. It reports whether others follow.
func (g *Inspect) Subscriptions(ctx context.Context, after string, size int) (page []bucketgen.Subscription, more bool, err error) {
	if err := (*Engine)(g).ready(); err != nil {
		return nil, false, fmt.Errorf("subscriptions: %w", err)
	}
	page, more, err = g.subscriptions(ctx, 0, after, size)
	if err != nil {
		return nil, false, fmt.Errorf("subscriptions: %w", err)
	}
	return page, more, nil
}

// subscriptions returns those to a bucket and to all buckets, or to whatever buckets if it is 0.
func (g *Inspect) subscriptions(ctx context.Context, bucketNo int32, after string, size int) ([]bucketgen.Subscription, bool, error) {
	e, limit := (*Engine)(g), Page{Size: size}.limit()
	rows, err := e.store.Queries(e.pool).SubscriptionsPage(ctx, db.SubscriptionsPageParams{AfterName: after, BucketNo: bucketNo, Size: limit + 1})
	if err != nil {
		return nil, false, err
	}
	more := len(rows) > int(limit)
	rows = rows[:min(len(rows), int(limit))]
	all := make([]bucketgen.Subscription, len(rows))
	for i, row := range rows {
		s := bucketgen.Subscription{Name: row.Name, BucketID: deref(row.BucketID), FirstOnly: row.FirstOnly, Tick: deref(row.Tick)}
		for _, kind := range row.Kinds {
			s.Kinds = append(s.Kinds, Kind(kind))
		}
		for _, reason := range row.Reasons {
			s.Reasons = append(s.Reasons, Reason(reason))
		}
		all[i] = s
	}
	return all, more, nil
}

// TransitionQuery says which transitions of a bucket a list has, and in which order.
type TransitionQuery = bucketgen.TransitionQuery

// TransitionPage is a page of the transitions of a bucket.
type TransitionPage = bucketgen.TransitionPage

// MemberQuery says which members of a bucket a list has, and in which order.
type MemberQuery = bucketgen.MemberQuery

// MemberPage is a page of the members of a bucket.
type MemberPage = bucketgen.MemberPage

// Transitions returns a page of what happened to the memberships of a bucket, by the time at which
// it became true. Transitions of users who are deleted are left out; those of users who were merged
// have the names of that time.
func (g *Inspect) Transitions(ctx context.Context, bucket registry.BucketRef, q TransitionQuery) (TransitionPage, error) {
	b, r, err := g.reader(bucket)
	if err != nil {
		return TransitionPage{}, fmt.Errorf("transitions: %w", err)
	}
	page, err := r.Transitions(ctx, b, q)
	if err != nil {
		return TransitionPage{}, fmt.Errorf("transitions: %w", err)
	}
	return page, nil
}

// Members returns a page of the members of a bucket that a query asks for.
func (g *Inspect) Members(ctx context.Context, bucket registry.BucketRef, q MemberQuery) (MemberPage, error) {
	b, r, err := g.reader(bucket)
	if err != nil {
		return MemberPage{}, fmt.Errorf("members: %w", err)
	}
	page, err := r.Members(ctx, b, q)
	if err != nil {
		return MemberPage{}, fmt.Errorf("members: %w", err)
	}
	return page, nil
}

// reader returns the place of a bucket, and what reads about it at the present time.
func (g *Inspect) reader(bucket registry.BucketRef) (table.BucketIndex, *inspect.Reader, error) {
	e := (*Engine)(g)
	b, err := e.lookup(bucket)
	if err != nil {
		return 0, nil, err
	}
	return b, e.inspecting(), nil
}

// inspecting returns what reads about buckets and users at the present time.
func (e *Engine) inspecting() *inspect.Reader {
	return &inspect.Reader{Pool: e.reads(), Store: e.store, Registry: e.registry, Now: e.Now()}
}

// Sizes returns how many members a bucket had, and how many users entered and left it, as
// [Engine.MembershipHistory] does, also by days of a zone and by source. MeanDwell of a day is the
// mean of those of its hours, by the number of stays.
func (g *Inspect) Sizes(ctx context.Context, bucket registry.BucketRef, q bucketgen.SizeQuery) ([]bucketgen.SourcedPoint, error) {
	e := (*Engine)(g)
	b, err := e.lookup(bucket)
	if err != nil {
		return nil, fmt.Errorf("sizes: %w", err)
	}
	r, err := g.sizes()
	if err != nil {
		return nil, fmt.Errorf("sizes: %w", err)
	}
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	if q.To.IsZero() {
		q.To = r.Now
	}
	points, err := r.OverTime(ctx, e.store.Bucket(b), q, func(ctx context.Context, from, to time.Time) ([]bucketgen.SizePoint, error) {
		return e.MembershipHistory(ctx, bucket, from, to, Hourly)
	})
	if err != nil {
		return nil, fmt.Errorf("sizes: %w", err)
	}
	return points, nil
}
