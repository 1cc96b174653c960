package words_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// The vocabulary of these tests.
var (
	tier      = bucket.Text("plan")
	email     = bucket.Text("email")
	city      = bucket.Text("address").At("geo", "home city")
	role      = bucket.Text("role").TraitsOnly()
	dotted    = bucket.Text("a.b")
	seats     = bucket.Number("seats")
	confirmed = bucket.Bool("confirmed")
	trialEnds = bucket.Time("trial_ends_at")
	tags      = bucket.List("tags")

	purchase = bucket.Event("purchase")
	cart     = bucket.Event("cart updated")
	amount   = purchase.Number("amount")
	product  = purchase.Text("product")
	paid     = purchase.Bool("paid")
	when     = purchase.Time("shipped_at")

	year2026 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	year2027 = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

const days90 = 90 * bucket.Day

// conditions are all conditions, with their words.
var conditions = []struct {
	criteria bucket.Criteria
	want     string
}{
	{tier.Exists(), `plan has a value`},
	{tier.NotExists(), `not: plan has a value`},
	{tier.Is("pro"), `plan is "pro"`},
	{tier.IsNot("pro"), `not: plan is "pro"`},
	{tier.In("trial", "free"), `plan is one of "free", "trial"`},
	{tier.NotIn("pro"), `not: plan is one of "pro"`},
	{tier.Contains("team"), `plan contains "team"`},
	{email.HasPrefix("admin@"), `email begins with "admin@"`},
	{email.HasSuffix("@example.com"), `email ends with "@example.com"`},
	{email.Matches(`^[a-z]+\+`), `email matches the pattern "^[a-z]+\\+"`},
	{tier.IsFold("PRO"), `plan is "PRO" in any letter case`},
	{tier.InFold("pro", "team"), `plan is one of "pro", "team" in any letter case`},
	{email.ContainsFold("test"), `email contains "test" in any letter case`},
	{email.HasPrefixFold("Admin@"), `email begins with "Admin@" in any letter case`},
	{email.HasSuffixFold("@Example.com"), `email ends with "@Example.com" in any letter case`},
	{city.Is("Oslo"), `address.geo."home city" is "Oslo"`},
	{role.Is("admin"), `role (traits only) is "admin"`},
	{dotted.Is("x"), `"a.b" is "x"`},
	{seats.Is(5), `seats is 5`},
	{seats.Is(1_000_000), `seats is 1000000`},
	{seats.Is(1e300), `seats is 1e+300`},
	{seats.In(10, 5.5), `seats is one of 5.5, 10`},
	{seats.MoreThan(5), `seats is more than 5`},
	{seats.AtLeast(5), `seats is at least 5`},
	{seats.LessThan(5), `seats is less than 5`},
	{seats.AtMost(5), `seats is at most 5`},
	{seats.Between(5, 50), `seats is from 5 to 50`},
	{confirmed.IsTrue(), `confirmed is true`},
	{confirmed.IsFalse(), `confirmed is false`},
	{tags.Has("vip"), `tags has one of "vip"`},
	{tags.HasAny("vip", "press"), `tags has one of "press", "vip"`},
	{tags.HasAll("vip", "beta"), `tags has all of "beta", "vip"`},
	{tags.Length().Exactly(1), `tags has exactly 1 element`},
	{tags.Length().AtLeast(3), `tags has at least 3 elements`},
	{tags.Length().AtMost(5), `tags has at most 5 elements`},
	{trialEnds.Before(year2026), `trial_ends_at is before 2026-01-01T00:00:00Z`},
	{trialEnds.After(year2026), `trial_ends_at is after 2026-01-01T00:00:00Z`},
	{trialEnds.Between(year2026, year2027), `trial_ends_at is from 2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z`},
	{trialEnds.InTheLast(90 * bucket.Minute), `trial_ends_at is in the last 1 hour 30 minutes`},
	{trialEnds.MoreThanAgo(days90), `trial_ends_at is at least 90 days ago`},
	{trialEnds.InTheNext(3 * bucket.Day), `trial_ends_at is in the next 3 days`},
	{trialEnds.Today("Europe/Berlin"), `trial_ends_at is today in Europe/Berlin`},
	{trialEnds.ThisWeek("UTC"), `trial_ends_at is this week in UTC`},
	{trialEnds.ThisMonth("UTC"), `trial_ends_at is this month in UTC`},
	{tier.HasBeen("pro", days90), `plan is "pro" and has been for at least 90 days`},
	{tier.Changed().Within(days90), `plan changed in the last 90 days`},
	{tier.Changed().From("free").To("pro").Within(days90), `plan changed from "free" to "pro" in the last 90 days`},

	{purchase.Exists(), `purchase at least once ever`},
	{purchase.Never(), `no purchase ever`},
	{purchase.AtLeast(3), `purchase at least 3 times ever`},
	{purchase.MoreThan(2), `purchase at least 3 times ever`},
	{purchase.AtMost(9), `purchase at most 9 times ever`},
	{purchase.Exactly(3), `purchase exactly 3 times ever`},
	{cart.Exists(), `"cart updated" at least once ever`},
	{purchase.Within(days90).Never(), `no purchase in the last 90 days`},
	{purchase.Within(days90).AtMost(1), `purchase at most once in the last 90 days`},
	{purchase.Ago(days90, 30*bucket.Day).AtLeast(3), `purchase at least 3 times between 90 days and 30 days ago`},
	{purchase.Today("Europe/Berlin").Exists(), `purchase at least once today in Europe/Berlin`},
	{purchase.Between(year2026, year2027).Exists(), `purchase (since 2026-01-01T00:00:00Z and before 2027-01-01T00:00:00Z) at least once ever`},
	{purchase.Since(year2026).Never(), `no purchase (all of since 2026-01-01T00:00:00Z) ever`},
	{purchase.Where(product.Is("book"), amount.AtLeast(5)).Exists(), `purchase (product is "book" and amount is at least 5) at least once ever`},
	{
		purchase.Where(bucket.Any(product.Is("book"), bucket.Not(bucket.All(paid.IsTrue(), amount.AtLeast(5))))).Exists(),
		`purchase (product is "book" or not (paid is true and amount is at least 5)) at least once ever`,
	},
	{
		purchase.Where(bucket.AtLeastOf(1, product.Is("book"), paid.IsTrue())).Exists(),
		`purchase (at least 1 of product is "book", paid is true) at least once ever`,
	},
	{purchase.FirstTimeWithin(days90), `purchase for the first time ever in the last 90 days`},
	{product.Of(purchase.First()).Is("book"), `first purchase: product is "book"`},
	{product.Of(purchase.Last()).IsNot("book"), `last purchase: not product is "book"`},
	{purchase.Within(days90).Sum(amount).AtLeast(100), `purchase (amount is a number) with a sum of amount of at least 100 in the last 90 days`},
	{purchase.Avg(amount).LessThan(7.5), `purchase (amount is a number) with an average amount of less than 7.5 ever`},
	{purchase.Max(amount).MoreThan(7.5), `purchase (amount is more than 7.5) at least once ever`},
	{
		purchase.Within(days90).Max(amount).AtMost(5),
		`purchase (amount is a number) at least once, but no purchase (amount is more than 5), in the last 90 days`,
	},
	{purchase.Within(days90).Distinct(product).AtLeast(3), `purchase with at least 3 different values of product in the last 90 days`},
	{purchase.Distinct(when).AtMost(0), `purchase with at most 0 different values of shipped_at as a time ever`},
	{purchase.DistinctDays("UTC").Exactly(1), `purchase on exactly 1 different day in UTC, ever`},

	{cart.Then(purchase).Within(2 * bucket.Hour).Exists(), `"cart updated", then purchase, all within 2 hours, ever`},
	{
		cart.ThenWithin(2*bucket.Hour, purchase).By(cart.Text("id"), product).InTheLast(7 * bucket.Day),
		`"cart updated" (by id), then purchase (by product) within 2 hours, in the last 7 days`,
	},
	{
		cart.Then(cart).Within(bucket.Day).ThenNot(purchase.Where(paid.IsTrue())).Within(bucket.Hour).Exists(),
		`"cart updated", then "cart updated", all within 1 day, then no purchase (paid is true) within 1 hour, ever`,
	},
	{bucket.InBucket("team"), `in bucket team`},
	{bucket.NotInBucket("team"), `not: in bucket team`},
	{bucket.Sample(12.5, "spring"), `in the sample "spring" of 12.5% of all users`},
}

// build returns the registry of a bucket "it" with a criteria, beside one that it may ask about. A
// condition that would need a positive one gets it.
func build(t *testing.T, c bucket.Criteria) (*table.Registry, table.BucketIndex) {
	t.Helper()
	r := registrytest.Build(
		t,
		bucket.Define(bucket.Spec{ID: "it", Criteria: bucket.All(bucket.Event("login").Exists(), c)}),
		bucket.Define(bucket.Spec{ID: "team", Kind: bucket.Manual}),
	)
	b, _ := r.Tables().Bucket("it")
	return r.Tables(), b
}

func TestCondition(t *testing.T) {
	t.Parallel()
	for _, test := range conditions {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			r, b := build(t, test.criteria)
			lines := words.Criteria(r, b)
			if len(lines) != 3 || lines[2].Depth != 1 || lines[2].Text != test.want {
				t.Errorf("got %v, want %s", lines, test.want)
			}
		})
	}
}

// TestEveryOp checks that each operation is among the examples above, combines others, or is used
// for the instants of events.
func TestEveryOp(t *testing.T) {
	t.Parallel()
	seen := map[table.Op]bool{}
	for _, test := range conditions {
		r, b := build(t, test.criteria)
		for _, n := range r.Buckets[b].Criteria {
			seen[n.Op] = true
		}
		for i := range r.Signals {
			for _, n := range r.Signals[i].Filter {
				seen[n.Op] = true
			}
		}
	}
	for op := range table.Ops {
		if op := table.Op(op); !seen[op] && op != table.OpAny && op != table.OpAtLeastOf {
			t.Errorf("there is no example of %s", op)
		}
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	r, b := build(t, bucket.Any(
		tier.Is("pro"),
		bucket.Not(bucket.AtLeastOf(1, seats.MoreThan(5), bucket.Not(confirmed.IsTrue()))),
		bucket.Not(bucket.Not(purchase.Exists())),
	))
	want := `all of:
  login at least once ever
  any of:
    plan is "pro"
    not: at least 1 of:
      seats is more than 5
      not: confirmed is true
    not: not: purchase at least once ever
`
	lines := words.Criteria(r, b)
	var got strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&got, line)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
	places := make([]int, len(lines))
	for i, line := range lines {
		places[i] = line.Node
	}
	if want := []int{0, 1, 2, 3, 4, 6, 7, 9}; !slices.Equal(places, want) {
		t.Errorf("the nodes are at %v, want %v", places, want)
	}
	team, _ := r.Bucket("team")
	if lines := words.Criteria(r, team); lines != nil {
		t.Errorf("a manual bucket has the criteria %v", lines)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	criteria := tier.Is("pro")
	for _, test := range []struct {
		name string
		spec bucket.Spec
		want []string
	}{
		{"none", bucket.Spec{Criteria: criteria}, []string{"every join is announced"}},
		{"manual", bucket.Spec{Kind: bucket.Manual}, []string{"manual: users are added and removed by API calls", "every join is announced"}},
		{
			"all",
			bucket.Spec{
				Criteria: criteria, Disabled: true, Entry: bucket.Once(), MinDwell: bucket.Day, MaxDwell: 7 * bucket.Day,
				ReconcileJoins: bucket.Off, Dwell: []bucket.Tick{bucket.After(2 * bucket.Day), bucket.Every(bucket.Hour)},
			},
			[]string{
				"paused by its definition: memberships are frozen",
				"only the first join of a user is announced",
				"members stay for at least 1 day",
				"members leave after 7 days at the latest",
				"users do not join by the passing of time alone",
				"ticks once, 2 days into a stay",
				"ticks every 1 hour of a stay",
			},
		},
		{
			"once per",
			bucket.Spec{Criteria: criteria, Entry: bucket.OncePer(days90)},
			[]string{"a join is announced if it is the user's first or 90 days have passed since they left"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.spec.ID = "it"
			r := registrytest.Build(t, bucket.Define(test.spec))
			if diff := cmp.Diff(test.want, words.Policy(r.Tables(), 0)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                               "0 seconds",
		time.Microsecond:                "1 microsecond",
		36 * time.Hour:                  "1 day 12 hours",
		90*24*time.Hour + 2*time.Second: "90 days 2 seconds",
		1500*time.Microsecond + 1:       "1 millisecond 500 microseconds 1 nanosecond",
	} {
		if got := words.Duration(d); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
	}
}

func TestRelative(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                             "now",
		-time.Microsecond:             "1 microsecond ago",
		51*time.Hour + 59*time.Minute: "in 2 days 3 hours",
		-time.Hour - 5*time.Minute - 9*time.Second: "1 hour 5 minutes ago",
		24*time.Hour + 30*time.Minute:              "in 1 day",
		2*time.Second + time.Microsecond:           "in 2 seconds",
	} {
		if got := words.Relative(table.Instant(d/time.Microsecond), 0); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}

// TestRelativeOfAllInstants describes the distance of any two instants, and computes it again by
// big integers.
func TestRelativeOfAllInstants(t *testing.T) {
	t.Parallel()
	const first, last = -62135596800_000000, int64(table.Latest)
	rng := rand.New(rand.NewPCG(3, 4))
	spans := map[string]int64{"day": 86400e6, "hour": 3600e6, "minute": 60e6, "second": 1e6, "millisecond": 1e3, "microsecond": 1}
	for range 5000 {
		at, now := first+rng.Int64N(last-first), first+rng.Int64N(last-first)
		text := words.Relative(table.Instant(at), table.Instant(now))
		past := strings.HasSuffix(text, " ago")
		if past != (at < now) {
			t.Fatalf("%d is %s at %d", at, text, now)
		}
		fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(text, "in "), " ago"))
		sum := new(big.Int)
		for i := 0; i < len(fields); i += 2 {
			n, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			sum.Add(sum, new(big.Int).Mul(big.NewInt(n), big.NewInt(spans[strings.TrimSuffix(fields[i+1], "s")])))
		}
		apart := new(big.Int).Abs(new(big.Int).Sub(big.NewInt(at), big.NewInt(now)))
		if rest := new(big.Int).Sub(apart, sum); rest.Sign() < 0 || rest.Cmp(big.NewInt(3600e6)) >= 0 {
			t.Fatalf("%d is %s at %d, which is %s microseconds off", at, text, now, rest)
		}
	}
}
