package view

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/chart"
)

// backTestChart draws the sizes of a bucket by day.
func backTestChart(b client.BackTestBucket) string {
	steps := make([]chart.Column, len(b.Days))
	for i, d := range b.Days {
		steps[i] = chart.Column{
			Members: d.Members, Entered: d.Entered, Left: d.Left, Day: d.At.UTC().Format("2006-01-02"),
			Title: d.At.UTC().Format("Mon 2006 Jan 02") + ": " + Number(d.Members) + " members",
		}
	}
	return chart.Growth(steps)
}

// comparedDays are the days on which either of two versions of a bucket has a size, in order. On a
// day without one a version has the size of the day before.
func comparedDays(b client.BackTestBucket) []chart.Pair {
	sizes := [2]map[time.Time]int64{{}, {}}
	var days []time.Time
	for i, all := range [][]client.BackTestDay{b.Days, b.Against.Other.Days} {
		for _, d := range all {
			sizes[i][d.At] = d.Members
			days = append(days, d.At)
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	pairs := make([]chart.Pair, 0, len(days))
	last := [2]int64{}
	for _, at := range slices.Compact(days) {
		for i := range sizes {
			if size, known := sizes[i][at]; known {
				last[i] = size
			}
		}
		day := at.UTC().Format("2006-01-02")
		pairs = append(pairs, chart.Pair{
			Members: last[0], Other: last[1], Day: day,
			Title: day + ": " + Number(last[0]) + " members, the other has " + Number(last[1]),
		})
	}
	return pairs
}

// againstWords say what a back-test compares a bucket with.
func againstWords(b client.BackTestBucket) string {
	if other := b.Against.Other.BucketID; other != "" && other != b.BucketID {
		return other
	}
	return "what happened"
}

// jobUsers returns the address of a list of users of a job.
func (s Site) jobUsers(job int64, list, bucket string) string {
	return s.To(fmt.Sprintf("/jobs/%d/users", job), url.Values{"list": {list}, "bucket": {bucket}})
}

// userWhy returns the address of a user's page that explains a bucket.
func (s Site) userWhy(id, bucket string) string {
	return s.To("/user", url.Values{"id": {id}, "why": {bucket}})
}

// listTitle says which users a list of a job has.
func listTitle(list, bucket string) string {
	name, _, _ := strings.Cut(list, ":")
	words := map[string]string{
		"only": "Users whom one condition keeps out of ", "onlyRun": "Users whom only this build has in ", "onlyOther": "Users whom only the other has in ",
		"joining": "Users who would join ", "leaving": "Users who would leave ", "members": "Users who would be in ",
	}
	return cmp.Or(words[name], "Users of ") + bucket
}

// membersIn adds up the combinations that have a bucket.
func membersIn(o client.Overlap, id string) (n int64) {
	for _, s := range o.Sets {
		if has(s.BucketIDs, id) {
			n += s.Users.Count
		}
	}
	return n
}

// exactly is how many users are in some buckets, and in no other one that was asked for.
func exactly(o client.Overlap, ids []string) client.Estimate {
	for _, s := range o.Sets {
		if len(s.BucketIDs) == len(ids) && !slices.ContainsFunc(ids, func(id string) bool { return !has(s.BucketIDs, id) }) {
			return s.Users
		}
	}
	return client.Estimate{}
}

// partsOf are the numbers of users in the parts of three buckets. The bits of an index say in which
// buckets they are.
func partsOf(o client.Overlap, ids []string) (texts [8]string) {
	for i := 1; i < len(texts); i++ {
		var in []string
		for bit, id := range ids {
			if i>>bit&1 == 1 {
				in = append(in, id)
			}
		}
		texts[i] = estimate(exactly(o, in))
	}
	return texts
}

// mostIn is the size of the largest of some buckets.
func mostIn(o client.Overlap, ids []string) (most int64) {
	for _, id := range ids {
		most = max(most, membersIn(o, id))
	}
	return most
}
