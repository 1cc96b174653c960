package feed

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen"
)

const (
	liveWindow = time.Minute            // liveWindow is how far back live figures go
	liveFor    = 30 * time.Second       // liveFor is for how long the feed polls after live figures were read
	livePace   = 250 * time.Millisecond // livePace is how often the feed polls at most for them
	liveAge    = time.Second            // liveAge is how old a poll may be for live figures
	mostLive   = 100                    // mostLive is how many buckets are listed
)

// Live adds up the announced transitions of the last minute, or those of one bucket. The feed polls
// for a while from the first call on, so its first answer begins with the call. It adds up what the
// feed keeps for its readers: where that is less than a minute, Since is later.
func (f *Feed) Live(ctx context.Context, bucketID string) (bucketgen.Live, error) {
	if err := f.hold(); err != nil {
		return bucketgen.Live{}, err
	}
	if _, now, _ := f.since(0); time.Since(now.began) > liveAge {
		if _, err := f.fresh(ctx); err != nil {
			return bucketgen.Live{}, err
		}
	}
	f.mu.Lock()
	batches, covers, asOf := slices.Clone(f.batches), f.covers, f.now.began
	f.mu.Unlock()
	if from := asOf.Add(-liveWindow); covers.Before(from) {
		covers = from
	}
	return added(batches, covers, asOf, bucketID), nil
}

// hold lets the feed poll for a while.
func (f *Feed) hold() error {
	f.mu.Lock()
	held := f.held != nil && f.held.Reset(liveFor)
	f.mu.Unlock()
	if held {
		return nil
	}
	leave, err := f.join(livePace)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = time.AfterFunc(liveFor, leave)
	return nil
}

// added adds up the transitions of batches after a time.
func added(batches []*batch, after, asOf time.Time, bucketID string) bucketgen.Live {
	all := bucketgen.Live{AsOf: asOf.UTC(), Since: after.UTC(), Seconds: []bucketgen.LiveSecond{}, Buckets: []bucketgen.LiveBucket{}}
	buckets := map[string]*bucketgen.LiveBucket{}
	for _, b := range batches {
		if !b.at.After(after) {
			continue
		}
		second := bucketgen.LiveSecond{At: b.at.UTC().Truncate(time.Second)}
		for i := range b.entries {
			t := &b.entries[i]
			if t.Suppressed || t.notice != nil || bucketID != "" && t.BucketID != bucketID {
				continue
			}
			one := buckets[t.BucketID]
			if one == nil {
				one = &bucketgen.LiveBucket{BucketID: t.BucketID, BucketName: t.BucketName}
				buckets[t.BucketID] = one
			}
			one.Add(t.Kind)
			second.Add(t.Kind)
		}
		if n := len(all.Seconds); n > 0 && all.Seconds[n-1].At.Equal(second.At) {
			last := &all.Seconds[n-1].LiveCounts
			last.Entered, last.Left, last.Dwell = last.Entered+second.Entered, last.Left+second.Left, last.Dwell+second.Dwell
		} else if second.Sum() > 0 {
			all.Seconds = append(all.Seconds, second)
		}
	}
	for _, one := range buckets {
		all.Buckets = append(all.Buckets, *one)
	}
	slices.SortFunc(all.Buckets, func(a, b bucketgen.LiveBucket) int {
		return cmp.Or(cmp.Compare(b.Sum(), a.Sum()), cmp.Compare(a.BucketID, b.BucketID))
	})
	all.Buckets = all.Buckets[:min(len(all.Buckets), mostLive)]
	return all
}
