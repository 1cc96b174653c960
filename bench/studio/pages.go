package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Bars of pages and operations.
const (
	firstByteBar = 150 * time.Millisecond

	overviewBar, bucketBar, userBar = 4, 6, 8 // statements
)

// view is a page or an operation that is measured.
type view struct {
	name    string
	bar     int64 // bar is how many statements it may take; 0: there is none.
	address func(rng *rand.Rand) string
}

// views returns what is measured.
func (s *site) views(ctx context.Context, size scale) ([]view, error) {
	last := max(min(200, size.buckets/onPage), 1) // page 200 of 10,000 buckets
	bySize := url.Values{"sort": {"size"}, "order": {"desc"}}
	after, err := s.cursor(ctx, last, bySize)
	if err != nil {
		return nil, err
	}
	to := func(path string, query ...string) func(*rand.Rand) string {
		q := url.Values{}
		for i := 0; i < len(query); i += 2 {
			q.Set(query[i], query[i+1])
		}
		return func(*rand.Rand) string { return path + "?" + q.Encode() }
	}
	bucket := func(rng *rand.Rand) string { return bucketID(rng.IntN(groups), rng.IntN(size.each())) }
	user := func(rng *rand.Rand) string { return userID(1 + rng.IntN(size.users)) }
	largest := func(*rand.Rand) string { return bucketID(0, 0) }
	longest := func(*rand.Rand) string { return userID(heavy) }
	of := func(before string, id func(*rand.Rand) string, after string) func(*rand.Rand) string {
		return func(rng *rand.Rand) string { return before + id(rng) + after }
	}
	views := []view{
		{"overview", overviewBar, to(prefix + "/")},
		{"overview, searched", overviewBar, to(prefix+"/", "q", "segment 12")},
	}
	for _, sort := range []string{"name", "size", "entered", "left"} {
		views = append(views, view{"overview, by " + sort, overviewBar, to(prefix+"/", "sort", sort, "order", "desc")})
	}
	views = append(views,
		view{fmt.Sprintf("overview, page %d", last), overviewBar, to(prefix+"/", "sort", "size", "order", "desc", "after", after)},
		view{"overview, refreshed", overviewBar, to(prefix+"/", "part", "buckets")},
		view{"strip", overviewBar, to(prefix + "/strip")},
		view{"find", overviewBar, to(prefix+"/find", "q", "segment 12")},
		view{"bucket", bucketBar, of(prefix+"/buckets/", bucket, "")},
		view{"largest bucket", bucketBar, of(prefix+"/buckets/", largest, "")},
		view{"bucket, refreshed", bucketBar, of(prefix+"/buckets/", bucket, "?part=stats")},
		view{"members", bucketBar, of(prefix+"/buckets/", bucket, "/members")},
		view{"members of the largest", bucketBar, of(prefix+"/buckets/", largest, "/members")},
		view{"user", userBar, of(prefix+"/user?id=", user, "")},
		view{"user with a long history", userBar, of(prefix+"/user?id=", longest, "")},
		view{"user, why", userBar, of(prefix+"/user?part=explain&id=", user, "")},
		view{"user, traits", userBar, of(prefix+"/user?part=traits&id=", user, "")},
		view{"user, activity", userBar, of(prefix+"/user?part=activity&id=", longest, "")},
		view{"GET /v1/buckets", 0, to("/v1/buckets", "limit", "50")},
		view{"GET /v1/buckets, all pages", 0, to("/v1/buckets", "limit", "1000", "sort", "size")},
		view{"GET /v1/summary", 0, to("/v1/summary")},
		view{"GET /v1/buckets/{b}", 0, of("/v1/buckets/", bucket, "")},
		view{"GET /v1/buckets/{b}/criteria", 0, of("/v1/buckets/", bucket, "/criteria")},
		view{"GET /v1/buckets/{b}/sizes", 0, of("/v1/buckets/", largest, "/sizes?step=day")},
		view{"GET /v1/buckets/{b}/members", 0, of("/v1/buckets/", largest, "/members")},
		view{"GET /v1/users/{u}/buckets", 0, of("/v1/users/", user, "/buckets")},
		view{"GET /v1/users/{u}/timeline", 0, of("/v1/users/", longest, "/timeline")},
		view{"GET …/members/{u}/explain", 0, of("/v1/buckets/"+bucketID(0, 1)+"/members/", user, "/explain")},
	)
	return views, nil
}

// pages measures pages and operations one after the other, and prints a line for each.
func (s *site) pages(ctx context.Context, o options) error {
	views, err := s.views(ctx, o.scale)
	if err != nil {
		return err
	}
	fmt.Printf("%-32s %9s %9s %9s %7s %10s %6s\n", "", "p50 ms", "p95 ms", "bar", "KB", "statements", "bar")
	for _, v := range views {
		rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a fixed seed is the point
		var took []time.Duration
		var statements int64
		var bytes int
		for i := range o.requests + 3 {
			a, err := s.get(ctx, v.address(rng))
			if err != nil {
				return err
			}
			if i < 3 { // statements are prepared, pages of the database read
				continue
			}
			took = append(took, a.firstByte)
			statements, bytes = max(statements, a.statements), max(bytes, len(a.body))
		}
		slices.Sort(took)
		p95 := took[len(took)*95/100]
		late, many, bar := "", "", ""
		if p95 > firstByteBar {
			late = " LATE"
		}
		if v.bar > 0 {
			bar = strconv.FormatInt(v.bar, 10)
			if statements > v.bar {
				many = " MANY"
			}
		}
		fmt.Printf("%-32s %9.1f %9.1f %9d %7.1f %10d %6s%s%s\n", v.name, ms(took[len(took)/2]), ms(p95), firstByteBar.Milliseconds(),
			float64(bytes)/1000, statements, bar, late, many)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
