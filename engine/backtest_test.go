package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

func (w *world) backTest(o engine.BackTestOptions) engine.BackTestResult {
	w.t.Helper()
	result, err := w.Deployments().BackTest(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

// visited lets three users visit, in the days after the epoch: ada on the first, second and third,
// bob on the first and third, cy on the third, and ends four days after.
func visited(t *testing.T, definitions ...bucket.Definition) *world {
	t.Helper()
	w := newWorld(t, definitions...)
	for _, users := range [][]string{{"ada", "bob"}, {"ada"}, {"ada", "bob", "cy"}} {
		for _, user := range users {
			w.track(user, "visit")
		}
		w.clock.Advance(bucket.Day)
	}
	w.clock.Advance(bucket.Day)
	w.settle()
	return w
}

func day(n int) time.Time { return epoch.AddDate(0, 0, n) }

// TestBackTestVersions compares two buckets of a registry, and the same bucket in two.
func TestBackTestVersions(t *testing.T) {
	t.Parallel()
	loyal := func(id string, visits int) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: id, Criteria: visit.Within(2 * bucket.Day).AtLeast(visits)})
	}
	one, two := registrytest.Build(t, loyal("loyal", 1), loyal("loyal-2", 2)), registrytest.Build(t, loyal("loyal", 2))
	w := visited(t)
	// loyal: ada and bob from day 0, cy from day 2, no user from day 4; bob is back at the very
	// instant at which he would leave. loyal-2: ada from day 1 to day 3.
	run := engine.BackTestBucket{BucketID: "loyal", Entered: 3, Left: 3, Members: 0, Days: []engine.BackTestDay{
		{At: day(0), Entered: 2, Members: 2},
		{At: day(1), Members: 2},
		{At: day(2), Entered: 1, Members: 3},
		{At: day(3), Members: 3},
		{At: day(4), Left: 3, Members: 0},
	}}
	other := engine.BackTestBucket{Entered: 1, Left: 1, Days: []engine.BackTestDay{
		{At: day(1), Entered: 1, Members: 1}, {At: day(2), Members: 1}, {At: day(3), Left: 1}, {At: day(4)},
	}}
	differ := []engine.BackTestDiffers{
		{At: day(0), OnlyRun: 2}, {At: day(1), OnlyRun: 1, Both: 1}, {At: day(2), OnlyRun: 2, Both: 1}, {At: day(3), OnlyRun: 3},
	}
	for _, test := range []struct {
		name    string
		other   string
		against engine.BackTestAgainst
	}{
		{"of one registry", "loyal-2", engine.BackTestAgainst{Bucket: "loyal-2"}},
		{"of another", "loyal", engine.BackTestAgainst{Registry: two}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := run
			theirs := other
			theirs.BucketID = test.other
			want.Against = &engine.BackTestVersions{Other: theirs, Days: differ}
			got, err := w.Deployments().BackTest(context.Background(), engine.BackTestOptions{Registry: one, Buckets: []string{"loyal"}, Against: test.against})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "result", got, engine.BackTestResult{Users: 3, Events: 6, Until: day(4), Buckets: []engine.BackTestBucket{want}})
		})
	}
}

// TestBackTestUntil ends a back-test before the log does, while users are in one version only.
func TestBackTestUntil(t *testing.T) {
	t.Parallel()
	w := visited(t,
		bucket.Define(bucket.Spec{ID: "daily", Criteria: visit.Within(2 * bucket.Day).AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "ever", Criteria: visit.AtLeast(1)}))
	got := w.backTest(engine.BackTestOptions{Until: day(2).Add(-time.Microsecond), Against: engine.BackTestAgainst{Bucket: "ever"}, Buckets: []string{"daily"}})
	equal(t, "events", got.Events, 3)
	v := got.Buckets[0].Against
	equal(t, "members", []int64{v.OnlyRun, v.OnlyOther, v.Both, got.Buckets[0].Members, v.Other.Members}, []int64{0, 1, 1, 1, 2})
	equal(t, "users", [][]string{v.RunUsers, v.OtherUsers}, [][]string{nil, {"bob"}})
}

// TestBackTestAgainstRecorded changes a definition and asks who would have moved otherwise.
func TestBackTestAgainstRecorded(t *testing.T) {
	t.Parallel()
	spec := func(visits int) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: "loyal", Criteria: visit.AtLeast(visits)})
	}
	w := visited(t, spec(2))
	changed := registrytest.Build(t, spec(1))
	got := w.backTest(engine.BackTestOptions{Registry: changed, Against: engine.BackTestAgainst{Recorded: true}}).Buckets[0]
	equal(t, "members", []int64{got.Members, got.Against.Other.Members, got.Against.OnlyRun, got.Against.OnlyOther}, []int64{3, 2, 1, 0})
	equal(t, "users", got.Against.RunUsers, []string{"cy"})
	equal(t, "days", got.Against.Days, []engine.BackTestDiffers{
		{At: day(0), OnlyRun: 2}, {At: day(1), OnlyRun: 1, Both: 1}, {At: day(2), OnlyRun: 1, Both: 2}, {At: day(3), OnlyRun: 1, Both: 2}, {At: day(4), OnlyRun: 1, Both: 2},
	})
	same := w.backTest(engine.BackTestOptions{Against: engine.BackTestAgainst{Recorded: true}}).Buckets[0]
	equal(t, "what was recorded", same.Against.Other, engine.BackTestBucket{BucketID: "loyal", Entered: same.Entered, Left: same.Left, Members: same.Members, Days: same.Days})
}

// TestBackTestDeleted lets a member be deleted: from then on they are no member, and nothing that
// they do counts.
func TestBackTestDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testers)
	add(t, w, "ada")
	w.track("ada", "visit")
	w.clock.Advance(bucket.Day)
	if err := w.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(bucket.Day)
	w.ingest(engine.Event{UserID: "ada", Name: "visit"})
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "both", Criteria: bucket.All(visit.AtLeast(1), bucket.InBucket("testers"))}),
		bucket.Define(bucket.Spec{ID: "twice", Criteria: visit.AtLeast(2)}),
		testers)
	got := w.backTest(engine.BackTestOptions{Registry: r})
	days := []engine.BackTestDay{{At: day(0), Entered: 1, Members: 1}, {At: day(1)}, {At: day(2)}}
	equal(t, "buckets", got.Buckets, []engine.BackTestBucket{
		{BucketID: "both", Entered: 1, Days: days}, {BucketID: "testers", Entered: 1, Days: days}, {BucketID: "twice", Days: []engine.BackTestDay{}},
	})
}

// TestBackTestReadsInPieces reads the log of users who have done more than is read at once, and of
// more users than that.
func TestBackTestReadsInPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.track("first", "visit")
	execSQL(t, w, `insert into bucketgen.contacts (user_id, created_at, updated_at) select 'u' || i, now(), now() from generate_series(1, 1200) i`)
	execSQL(t, w, `insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind)
		select c.id, n.no, t.at, t.at, 'track'
		from bucketgen.contacts c
		cross join bucketgen.event_names n
		cross join generate_series(1, case c.user_id when 'u2' then 30000 when 'u3' then 60000 when 'u1200' then 30000 else 1 end) i
		cross join lateral (select '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 s' as at) t
		where c.user_id <> 'first'`)
	many := func(n int) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: "at-least-" + itoa(n), Criteria: visit.AtLeast(n)})
	}
	r := registrytest.Build(t, many(1), many(30000), many(60000), many(60001))
	var shares []float64
	got := w.backTest(engine.BackTestOptions{Registry: r, Until: epoch.AddDate(1, 0, 0), Progress: func(p engine.BackTestProgress) { shares = append(shares, p.Share) }})
	equal(t, "users and events", []int64{got.Users, got.Events}, []int64{1201, 1 + 1197 + 30000 + 30000 + 60000})
	members := map[string]int64{}
	for _, b := range got.Buckets {
		members[b.BucketID] = b.Members
	}
	equal(t, "members", members, map[string]int64{"at-least-1": 1201, "at-least-30000": 3, "at-least-60000": 1, "at-least-60001": 0})
	if len(shares) < 5 || shares[len(shares)-1] != 1 {
		t.Errorf("the progress was %v", shares)
	}
}

// TestBackTestRefuses sees that what cannot be run is said.
func TestBackTestRefuses(t *testing.T) {
	t.Parallel()
	w := visited(t, pro)
	for _, test := range []struct {
		name string
		o    engine.BackTestOptions
		want string
	}{
		{"an unknown bucket", engine.BackTestOptions{Buckets: []string{"gone"}}, `back-test: bucket "gone": the bucket is not in the registry that is run`},
		{"against an unknown bucket", engine.BackTestOptions{Against: engine.BackTestAgainst{Bucket: "gone"}}, `back-test: bucket "gone": the bucket is not in the registry that is run`},
		{"against an empty registry", engine.BackTestOptions{Against: engine.BackTestAgainst{Registry: registry.New(&table.Registry{})}}, `back-test: bucket "pro": the bucket is not in the registry that is run`},
		{"workers", engine.BackTestOptions{Workers: -1}, "back-test: the number of Workers is negative"},
	} {
		if _, err := w.Deployments().BackTest(t.Context(), test.o); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := w.Deployments().BackTest(ctx, engine.BackTestOptions{Progress: func(engine.BackTestProgress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v", err)
	}
	if diff := cmp.Diff([]engine.BackTestDay{}, w.backTest(engine.BackTestOptions{}).Buckets[0].Days); diff != "" {
		t.Errorf("days of a bucket that no user entered (-want +got):\n%s", diff)
	}
}
