package sizes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/criteria"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// listed is a bucket of a list.
type listed struct {
	bucketgen.BucketRow

	no    int32
	index table.BucketIndex // index is not set if the bucket is gone
	key   bucketgen.BucketKey
}

// List returns a page of buckets: those of the registry, and those that have members and are not in
// it. It reads a row for each bucket, and no members.
func (r *Reader) List(ctx context.Context, q bucketgen.BucketQuery) (bucketgen.BucketPage, error) {
	page := bucketgen.BucketPage{AsOf: r.Now.UTC(), Rows: []bucketgen.BucketRow{}}
	err := r.snapshot(ctx, func(tx pgx.Tx) error {
		all, err := r.read(ctx, tx)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(b listed) bool { return !wanted(&q, &b.BucketRow) })
		page.Total = len(all)
		all, page.Next = paged(&q, all)
		if err := r.addTrends(ctx, tx, all); err != nil {
			return err
		}
		for i := range all {
			r.describe(&all[i])
			page.Rows = append(page.Rows, all[i].BucketRow)
		}
		return nil
	})
	return page, err
}

// read returns all buckets, without what only a page needs.
func (r *Reader) read(ctx context.Context, tx pgx.Tx) ([]listed, error) {
	rows, err := r.Store.Queries(tx).SizesNow(ctx, db.SizesNowParams{
		Since: store.Timestamp(today(r.Now)), Now: store.Timestamp(r.Now), MostOverdue: most,
	})
	if err != nil {
		return nil, fmt.Errorf("read the sizes: %w", err)
	}
	all := make([]listed, 0, len(rows))
	for i := range rows {
		if b := r.listed(&rows[i]); b.State != bucketgen.BucketGone || b.Members != 0 {
			all = append(all, b)
		}
	}
	return all, nil
}

func (r *Reader) listed(row *db.SizesNowRow) listed {
	b := listed{no: row.No}
	b.ID, b.Name, b.Paused = row.ID, row.Name, row.Paused
	b.Members, b.Today = row.Members, bucketgen.Flow{Entered: row.Entered, Left: row.Left}
	index, known := r.Store.Index(row.No)
	if !known {
		b.State, b.Fingerprint = bucketgen.BucketGone, deref(row.Fingerprint)
		return b
	}
	def := &r.Registry.Buckets[index]
	agrees := row.Fingerprint != nil && *row.Fingerprint == def.Fingerprint
	b.index, b.Name, b.Fingerprint, b.Manual = index, def.Name, def.Fingerprint, def.Kind == table.Manual
	b.Paused = row.Paused || agrees && def.Disabled
	switch {
	case b.Paused:
		b.State = bucketgen.BucketPaused
	case !agrees:
		b.State, b.Other = bucketgen.BucketOther, true
	case row.Contacts > 0:
		b.State, b.Overdue = bucketgen.BucketFollowing, row.Overdue
		b.Followed = min(float64(row.Followed)/float64(max(row.Contacts, 1)), 1)
	default:
		b.State, b.Overdue = bucketgen.BucketLive, row.Overdue
	}
	return b
}

// describe adds what the definition of a bucket says of it.
func (r *Reader) describe(b *listed) {
	b.Words = []string{}
	if b.State == bucketgen.BucketGone {
		return
	}
	b.Description = r.Registry.Buckets[b.index].Description
	b.Words, b.Timed = words.Bucket(r.Registry, b.index), criteria.Timed(r.Registry, b.index)
}

// wanted reports whether a query asks for a bucket.
func wanted(q *bucketgen.BucketQuery, b *bucketgen.BucketRow) bool {
	text := strings.ToLower(q.Text)
	return (q.State == "" || q.State == b.State) && (q.Manual == nil || *q.Manual == b.Manual) &&
		(strings.Contains(strings.ToLower(b.ID), text) || strings.Contains(strings.ToLower(b.Name), text))
}

// paged sorts buckets, and returns those of the page and the key of the last one if others follow.
func paged(q *bucketgen.BucketQuery, all []listed) ([]listed, *bucketgen.BucketKey) {
	size, order := q.Size, cmp.Compare[int]
	if size <= 0 {
		size = defaultSize
	}
	size = min(size, maxSize)
	if q.Descending {
		order = func(a, b int) int { return cmp.Compare(b, a) }
	}
	for i := range all {
		all[i].key = key(q.Sort, &all[i].BucketRow)
	}
	slices.SortFunc(all, func(a, b listed) int { return order(compare(&a.key, &b.key), 0) })
	if q.After != nil {
		first := slices.IndexFunc(all, func(b listed) bool { return order(compare(&b.key, q.After), 0) > 0 })
		if first < 0 {
			first = len(all)
		}
		all = all[first:]
	}
	if len(all) <= size {
		return all, nil
	}
	last := all[size-1].key
	return all[:size], &last
}

// key returns the place of a bucket in an order.
func key(sort bucketgen.BucketSort, b *bucketgen.BucketRow) bucketgen.BucketKey {
	k := bucketgen.BucketKey{ID: b.ID}
	switch sort {
	case bucketgen.SortByName:
		k.Name = strings.ToLower(b.Name)
	case bucketgen.SortBySize:
		k.Number = b.Members
	case bucketgen.SortByEntered:
		k.Number = b.Today.Entered
	case bucketgen.SortByLeft:
		k.Number = b.Today.Left
	case bucketgen.SortByID:
	}
	return k
}

func compare(a, b *bucketgen.BucketKey) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// addTrends adds the sizes of the last days.
func (r *Reader) addTrends(ctx context.Context, tx pgx.Tx, page []listed) error {
	nos, byNo := make([]int32, len(page)), make(map[int32]*listed, len(page))
	for i := range page {
		b := &page[i]
		nos[i], byNo[b.no] = b.no, b
		b.Trend = make([]int64, trendDays)
		for day := range b.Trend {
			b.Trend[day] = b.Members
		}
	}
	first := today(r.Now).AddDate(0, 0, 1-trendDays)
	rows, err := r.Store.Queries(tx).SizesTrend(ctx, db.SizesTrendParams{BucketNos: nos, Since: store.Timestamp(first)})
	if err != nil {
		return fmt.Errorf("read the trend: %w", err)
	}
	for _, row := range rows { // what happened on a day is not in the sizes of earlier ones
		trend := byNo[row.BucketNo].Trend
		for day := range min(int(row.Day.Time.Sub(first)/(24*time.Hour)), trendDays-1) {
			trend[day] -= row.Members
		}
	}
	return nil
}

// today returns the beginning of the day of UTC that a time is in.
func today(now time.Time) time.Time { return now.UTC().Truncate(24 * time.Hour) }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
