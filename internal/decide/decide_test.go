package decide_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bucketgen/bucketgen/bucket"
)

// The buckets of the rows.
var (
	visit, purchase = bucket.Event("visit"), bucket.Event("purchase")
	plan, renewal   = bucket.Text("plan"), bucket.Time("renewal")
	thisWeek        = visit.Within(7 * day).Exists()

	buyer   = define("buyer", bucket.Spec{Criteria: purchase.Exists()})
	pro     = define("pro", bucket.Spec{Criteria: plan.Is("pro")})
	active  = define("active", bucket.Spec{Criteria: thisWeek})
	dormant = define("dormant", bucket.Spec{Criteria: bucket.All(visit.Exists(), visit.Within(7*day).Never())})
	lapsed  = define("lapsed", bucket.Spec{Criteria: renewal.MoreThanAgo(day), ReconcileJoins: bucket.Off})
	patient = define("patient", bucket.Spec{Criteria: plan.Is("pro"), MinDwell: 3 * day})
	capped  = define("capped", bucket.Spec{Criteria: purchase.Exists(), MaxDwell: 3 * day})
	brief   = define("brief", bucket.Spec{Criteria: plan.Is("pro"), MaxDwell: 3 * day})
	ticking = define("ticking", bucket.Spec{Criteria: plan.Is("pro"), Dwell: []bucket.Tick{bucket.After(day), bucket.Every(2 * day)}})
	once    = define("once", bucket.Spec{Criteria: plan.Is("pro"), Entry: bucket.Once()})
	rarely  = define("rarely", bucket.Spec{Criteria: plan.Is("pro"), Entry: bucket.OncePer(30 * day)})
	vip     = define("vip", bucket.Spec{Kind: bucket.Manual, MinDwell: 2 * day})
	guest   = define("guest", bucket.Spec{Kind: bucket.Manual, MaxDwell: 3 * day})
	offVip  = define("a-buyer-off-vip", bucket.Spec{Criteria: bucket.All(purchase.Exists(), bucket.NotInBucket("vip"))})
	vipPro  = define("vip-pro", bucket.Spec{Criteria: bucket.All(plan.Is("pro"), bucket.InBucket("vip"))})
	keen    = define("keen", bucket.Spec{Criteria: bucket.All(bucket.InBucket("active"), plan.Is("pro"))})
	quiet   = define("quiet", bucket.Spec{Criteria: bucket.All(bucket.NotInBucket("active"), visit.Exists())})
)

const (
	isPro  = `{"plan":"pro"}`
	isFree = `{"plan":"free"}`
)

// row is one rule: what is known of a user in some buckets, what happens, and what comes of it.
type row struct {
	name    string
	buckets []bucket.Definition
	given   []given  // none: the user is new
	when    []action // in order
	then    []string // transitions and refusals: instant, kind, bucket, stay number, source, reason
	due     []string // when the clock evaluates buckets next
	blocked []string // buckets that only something of the user's own lets the user join again
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for _, group := range []struct {
		heading string
		rows    []row
	}{
		{"joining", joining},
		{"leaving", leaving},
		{"windows that only time moves", windows},
		{"min dwell", minDwell},
		{"max dwell", maxDwell},
		{"ticks", ticks},
		{"by an admin", byAdmin},
		{"entry policy", entryPolicy},
		{"pauses", pauses},
		{"late events", lateEvents},
		{"corrected events", corrections},
		{"merges", merges},
		{"deployments", deployments},
		{"deletions", deletions},
		{"reconcile", repairs},
		{"order at one instant", order},
		{"buckets that depend on buckets", dependents},
	} {
		t.Run(group.heading, func(t *testing.T) {
			t.Parallel()
			for _, r := range group.rows {
				t.Run(r.name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, r.buckets, r.given)
					for _, s := range r.when {
						s(w)
					}
					for _, c := range []struct {
						what      string
						want, got []string
					}{{"transitions", r.then, w.said}, {"due instants", r.due, w.due()}, {"blocks", r.blocked, w.blocks()}} {
						if diff := cmp.Diff(c.want, c.got, cmpopts.EquateEmpty()); diff != "" {
							t.Errorf("%s (-want +got):\n%s", c.what, diff)
						}
					}
				})
			}
		})
	}
}

func define(id string, spec bucket.Spec) bucket.Definition {
	spec.ID = id
	return bucket.Define(spec)
}

func list[T any](all ...T) []T { return slices.Clip(all) }
