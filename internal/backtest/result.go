package backtest

import (
	"slices"

	"github.com/bucketgen/bucketgen"
)

// result returns what was found.
func (t *Test) result() bucketgen.BackTestResult {
	result := bucketgen.BackTestResult{Users: t.users, Events: t.events, Until: t.options.Until.Time()}
	last := DayOf(t.options.Until)
	for _, one := range t.tested {
		bucket := report(one.id, &one.total, last)
		if one.against != nil {
			bucket.Against = one.against.report(last)
		}
		result.Buckets = append(result.Buckets, bucket)
	}
	return result
}

// report returns how the two versions of a bucket differ.
func (a *against) report(last int64) *bucketgen.BackTestVersions {
	v := &bucketgen.BackTestVersions{
		Other: report(a.id, &a.total, last), OnlyRun: a.ends.Here, OnlyOther: a.ends.There, Both: a.ends.Both,
		RunUsers: a.runUsers, OtherUsers: a.otherUsers, Days: []bucketgen.BackTestDiffers{},
	}
	first, found := a.pair.First()
	if !found {
		return v
	}
	for i, day := range a.pair.Days(first, last) {
		if day.Here+day.There > 0 {
			v.Days = append(v.Days, bucketgen.BackTestDiffers{
				At: StartOf(first + int64(i)).Time(), OnlyRun: day.Here, OnlyOther: day.There, Both: day.Both,
			})
		}
	}
	return v
}

func report(id string, total *Bucket, last int64) bucketgen.BackTestBucket {
	bucket := bucketgen.BackTestBucket{BucketID: id, Entered: total.Entered, Left: total.Left, Days: []bucketgen.BackTestDay{}}
	first, found := total.First()
	if !found {
		return bucket
	}
	for i, day := range total.Days(first, last) {
		bucket.Days = append(bucket.Days, bucketgen.BackTestDay{
			At: StartOf(first + int64(i)).Time(), Entered: day.Entered, Left: day.Left, Members: day.Members,
		})
	}
	bucket.Members = bucket.Days[len(bucket.Days)-1].Members
	return bucket
}

// lists reports whether the result lists a bucket.
func (t *Test) lists(id string) bool {
	return slices.ContainsFunc(t.tested, func(one *tested) bool { return one.id == id })
}

// few adds a user to the first of them.
func few(users []string, user string) []string {
	const most = 20
	if len(users) < most {
		users = append(users, user)
	}
	return users
}
