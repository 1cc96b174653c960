package decide_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
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
	when    []step   // in order
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

var joining = []row{
	{
		name:    "an event that makes the criteria hold joins the user",
		buckets: list(buyer), when: list(event(0, "purchase")),
		then: list("day 0: entered buyer 1, event"),
	},
	{
		name:    "an event that the criteria do not ask about changes nothing",
		buckets: list(buyer), when: list(event(0, "visit")),
	},
	{
		name:    "a member whose criteria hold again stays in the same stay",
		buckets: list(buyer), given: list(stay("buyer", 1, 0)), when: list(event(1*day, "purchase")),
	},
	{
		name:    "a trait joins as an event does",
		buckets: list(pro), when: list(traits(0, isPro)),
		then: list("day 0: entered pro 1, event"),
	},
	{
		name:    "a declared property in the payload of an event is stored and joins",
		buckets: list(pro), when: list(event(0, "visit", carrying(isPro))),
		then: list("day 0: entered pro 1, event"),
	},
	{
		name:    "the next stay has the next number",
		buckets: list(pro), given: list(left("pro", 3, 0, 1*day)), when: list(traits(2*day, isPro)),
		then: list("day 2: entered pro 4, event"),
	},
	{
		name:    "an idempotency key that was seen does nothing",
		buckets: list(pro), when: list(event(0, "visit", key("k")), traits(1*day, isPro, key("k"))),
		then: list("duplicate"),
	},
	{
		name:    "an event that would exceed the limit of properties is refused and does nothing",
		buckets: list(buyer), given: list(known, atMost(1)),
		when: list(event(0, "purchase", func(w *world, e *decide.Event) { e.Traits = w.object(`{"a":1,"b":2}`) })),
		then: list("refused: traits"),
	},
}

var leaving = []row{
	{
		name:    "an event that makes the criteria fail ends the stay",
		buckets: list(pro), given: list(has(isPro, 0), stay("pro", 1, 0)), when: list(traits(1*day, isFree)),
		then: list("day 1: left pro 1, event, criteria"),
	},
	{
		name:    "null removes a property",
		buckets: list(pro), given: list(has(isPro, 0), stay("pro", 1, 0)), when: list(traits(1*day, `{"plan":null}`)),
		then: list("day 1: left pro 1, event, criteria"),
	},
	{
		name:    "a user who is in no stay does not leave",
		buckets: list(pro), given: list(left("pro", 1, 0, 1*day)), when: list(traits(2*day, isFree)),
	},
}

var windows = []row{
	{
		name:    "a join arms the instant at which the window ends",
		buckets: list(active), when: list(event(0, "visit")),
		then: list("day 0: entered active 1, event"),
		due:  list("active day 7"),
	},
	{
		name:    "the clock ends the stay at that instant",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(clock(7 * day)),
		then: list("day 7: left active 1, clock, criteria"),
	},
	{
		name:    "before that instant the clock does nothing",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(clock(7*day - 1e3)),
		due:  list("active day 7"),
	},
	{
		name:    "a late clock ends the stay as of the due instant",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(clock(9 * day)),
		then: list("day 7: left active 1, clock, criteria, decided day 9"),
	},
	{
		name:    "a further event moves the instant",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(event(5*day, "visit"), clock(7*day)),
		due:  list("active day 12"),
	},
	{
		name:    "what was due before an event is done before it",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(event(9*day, "visit")),
		then: list("day 7: left active 1, clock, criteria, decided day 9", "day 9: entered active 2, event"),
		due:  list("active day 16"),
	},
	{
		name:    "an event at the due instant comes before the clock",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(event(7*day, "visit"), clock(7*day)),
		due:  list("active day 14"),
	},
	{
		name:    "absence lets the clock join",
		buckets: list(dormant), when: list(event(0, "visit"), clock(7*day)),
		then: list("day 7: entered dormant 1, clock"),
	},
	{
		name:    "with ReconcileJoins off the clock joins no user",
		buckets: list(lapsed), when: list(traits(0, `{"renewal":"2026-01-01T00:00:00Z"}`), clock(2*day)),
	},
	{
		name:    "with ReconcileJoins off the next event about it joins",
		buckets: list(lapsed), given: list(has(`{"renewal":"2026-01-01T00:00:00Z"}`, 0)),
		when: list(traits(2*day, `{"renewal":"2026-01-01T12:00:00Z"}`)),
		then: list("day 2: entered lapsed 1, event"),
	},
}

var minDwell = []row{
	{
		name:    "a leave is deferred until min dwell has passed",
		buckets: list(patient), given: list(has(isPro, 0), stay("patient", 1, 0)), when: list(traits(1*day, isFree)),
		due: list("patient day 3"),
	},
	{
		name:    "the user leaves then if the criteria still fail",
		buckets: list(patient), given: list(has(isFree, 1*day), stay("patient", 1, 0), due("patient", 3*day)),
		when: list(clock(3 * day)),
		then: list("day 3: left patient 1, clock, criteria"),
	},
	{
		name:    "the user stays if the criteria hold again",
		buckets: list(patient), given: list(has(isFree, 1*day), stay("patient", 1, 0), due("patient", 3*day)),
		when: list(traits(2*day, isPro), clock(3*day)),
	},
	{
		name:    "after min dwell the user leaves at once",
		buckets: list(patient), given: list(has(isPro, 0), stay("patient", 1, 0)), when: list(traits(3*day, isFree)),
		then: list("day 3: left patient 1, event, criteria"),
	},
}

var maxDwell = []row{
	{
		name:    "a join arms the end of max dwell",
		buckets: list(capped), when: list(event(0, "purchase")),
		then: list("day 0: entered capped 1, event"),
		due:  list("capped day 3"),
	},
	{
		name:    "the user leaves then though the criteria hold, and is blocked",
		buckets: list(capped), given: list(happened("purchase", 0), stay("capped", 1, 0), due("capped", 3*day)),
		when:    list(clock(3 * day)),
		then:    list("day 3: left capped 1, clock, maxDwell"),
		blocked: list("capped"),
	},
	{
		name:    "the clock and reconcile do not join a blocked user",
		buckets: list(capped), given: list(happened("purchase", 0), blocked("capped", 1, 0, 3*day)),
		when:    list(clock(4*day), reconcile(5*day)),
		blocked: list("capped"),
	},
	{
		name:    "an event that the criteria ask about joins a blocked user",
		buckets: list(capped), given: list(happened("purchase", 0), blocked("capped", 1, 0, 3*day)),
		when: list(event(4*day, "purchase")),
		then: list("day 4: entered capped 2, event"),
		due:  list("capped day 7"),
	},
	{
		name:    "a trait that repeats its value joins a blocked user",
		buckets: list(brief), given: list(has(isPro, 0), blocked("brief", 1, 0, 3*day)), when: list(traits(4*day, isPro)),
		then: list("day 4: entered brief 2, event"),
		due:  list("brief day 7"),
	},
	{
		name:    "an evaluation that finds the criteria false ends the block",
		buckets: list(brief), given: list(has(isPro, 0), blocked("brief", 1, 0, 3*day)), when: list(traits(4*day, isFree)),
	},
	{
		name:    "an event that the criteria do not ask about leaves the block",
		buckets: list(capped), given: list(happened("purchase", 0), blocked("capped", 1, 0, 3*day)),
		when:    list(event(4*day, "visit")),
		blocked: list("capped"),
	},
}

var ticks = []row{
	{
		name:    "a join arms the first tick",
		buckets: list(ticking), when: list(traits(0, isPro)),
		then: list("day 0: entered ticking 1, event"),
		due:  list("ticking day 1"),
	},
	{
		name:    "a tick on time arms the next",
		buckets: list(ticking), given: list(has(isPro, 0), stay("ticking", 1, 0), due("ticking", 1*day)), when: list(clock(1 * day)),
		then: list("day 1: tick ticking 1, after 1d no. 1, clock"),
		due:  list("ticking day 2"),
	},
	{
		name:    "in virtual time a late clock sends every tick",
		buckets: list(ticking), given: list(has(isPro, 0), stay("ticking", 1, 0), ticked("ticking", 1*day), due("ticking", 2*day)),
		when: list(clock(7 * day)),
		then: list(
			"day 2: tick ticking 1, every 2d no. 1, clock, decided day 7",
			"day 4: tick ticking 1, every 2d no. 2, clock, decided day 7",
			"day 6: tick ticking 1, every 2d no. 3, clock, decided day 7",
		),
		due: list("ticking day 8"),
	},
	{
		name:    "a real clock sends only the last of the ticks that it missed",
		buckets: list(ticking), given: list(live, has(isPro, 0), stay("ticking", 1, 0), ticked("ticking", 1*day), due("ticking", 2*day)),
		when: list(clock(7 * day)),
		then: list("day 6: tick ticking 1, every 2d no. 3, clock, decided day 7"),
		due:  list("ticking day 8"),
	},
	{
		name:    "a tick that was sent is not sent again",
		buckets: list(ticking), given: list(has(isPro, 0), stay("ticking", 1, 0), ticked("ticking", 2*day), due("ticking", 2*day)),
		when: list(clock(3 * day)),
		due:  list("ticking day 4"),
	},
	{
		name:    "an event sends no tick at its own instant, the clock does",
		buckets: list(ticking), given: list(has(isPro, 0), stay("ticking", 1, 0), due("ticking", 1*day)),
		when: list(traits(1*day, isPro)),
		due:  list("ticking day 1"),
	},
	{
		name:    "ticks count from the start of their stay",
		buckets: list(ticking), given: list(left("ticking", 1, 0, 1*day)), when: list(traits(5*day, isPro)),
		then: list("day 5: entered ticking 2, event"),
		due:  list("ticking day 6"),
	},
}

var entryPolicy = []row{
	{
		name:    "once announces the first stay",
		buckets: list(once), when: list(traits(0, isPro)),
		then: list("day 0: entered once 1, event"),
	},
	{
		name:    "once announces no later stay, but every leave",
		buckets: list(once), given: list(left("once", 1, 0, 1*day)), when: list(traits(2*day, isPro), traits(3*day, isFree)),
		then: list("day 2: entered once 2, event, not announced", "day 3: left once 2, event, criteria"),
	},
	{
		name:    "once per period announces no stay before the period has passed since the last leave",
		buckets: list(rarely), given: list(left("rarely", 1, 0, 10*day)), when: list(traits(40*day-1e3, isPro)),
		then: list("day 39 23h59m59.999999s: entered rarely 2, event, not announced"),
	},
	{
		name:    "once per period announces the stay after it",
		buckets: list(rarely), given: list(left("rarely", 1, 0, 10*day)), when: list(traits(40*day, isPro)),
		then: list("day 40: entered rarely 2, event"),
	},
}

var lateEvents = []row{
	{
		name:    "a late event counts by when it occurred",
		buckets: list(active), when: list(event(5*day, "visit", occurred(0))),
		then: list("day 5: entered active 1, event"),
		due:  list("active day 7"),
	},
	{
		name:    "a late event outside the window does not join",
		buckets: list(active), given: list(known), when: list(event(7*day, "visit", occurred(0))),
	},
	{
		name:    "an event cannot occur in the future",
		buckets: list(active), when: list(event(0, "visit", occurred(1*day))),
		then: list("day 0: entered active 1, event"),
		due:  list("active day 7"),
	},
	{
		name:    "the time of a user never runs backwards",
		buckets: list(buyer), given: list(left("buyer", 1, 0, 5*day)), when: list(event(3*day, "purchase")),
		then: list("day 5: entered buyer 2, event"),
	},
}

var corrections = []row{
	{
		name:    "the value with the newest date counts, not the one that arrives last",
		buckets: list(pro), given: list(has(isPro, 4*day), stay("pro", 1, 4*day)), when: list(traits(5*day, isFree, occurred(3*day))),
	},
	{
		name:    "of two values with one date the later arrival counts",
		buckets: list(pro), given: list(has(isPro, 4*day), stay("pro", 1, 4*day)), when: list(traits(5*day, isFree, occurred(4*day))),
		then: list("day 5: left pro 1, event, criteria"),
	},
	{
		name:    "a late event ends an absence, never a past stay",
		buckets: list(dormant), given: list(happened("visit", 0), stay("dormant", 1, 7*day)),
		when: list(event(9*day, "visit", occurred(3*day))),
		then: list("day 9: left dormant 1, event, criteria"),
		due:  list("dormant day 10"),
	},
}

var order = []row{
	{
		name:    "max dwell, then criteria, then joins, then ticks, each by id",
		buckets: list(active, guestTicking, dormant, define("b-active", bucket.Spec{Criteria: thisWeek}), define("capped", bucket.Spec{Criteria: visit.Exists(), MaxDwell: 7 * day})),
		given: list(
			happened("visit", 0), stay("active", 1, 0), stay("b-active", 1, 0), stay("capped", 1, 0), stay("a-guest", 1, 0),
			due("a-guest", 7*day), due("dormant", 7*day), due("capped", 7*day), due("b-active", 7*day), due("active", 7*day),
		),
		when: list(clock(7 * day)),
		then: list(
			"day 7: left capped 1, clock, maxDwell",
			"day 7: left active 1, clock, criteria",
			"day 7: left b-active 1, clock, criteria",
			"day 7: entered dormant 1, clock",
			"day 7: tick a-guest 1, after 7d no. 1, clock",
		),
		blocked: list("capped"),
	},
	{
		name:    "max dwell wins over criteria that fail at the same instant, without a block",
		buckets: list(define("brief", bucket.Spec{Criteria: thisWeek, MaxDwell: 7 * day})),
		given:   list(happened("visit", 0), stay("brief", 1, 0), due("brief", 7*day)), when: list(clock(7 * day)),
		then: list("day 7: left brief 1, clock, maxDwell"),
	},
	{
		name:    "a user who leaves gets no tick of that instant",
		buckets: list(define("brief", bucket.Spec{Criteria: thisWeek, Dwell: []bucket.Tick{bucket.Every(7 * day)}})),
		given:   list(happened("visit", 0), stay("brief", 1, 0), due("brief", 7*day)), when: list(clock(7 * day)),
		then: list("day 7: left brief 1, clock, criteria"),
	},
}

// guestTicking is a bucket whose members only tick.
var guestTicking = define("a-guest", bucket.Spec{Kind: bucket.Manual, Dwell: []bucket.Tick{bucket.After(7 * day)}})

var dependents = []row{
	{
		name:    "a join is seen by buckets that ask about it, at the same instant and after it",
		buckets: list(active, keen), given: list(has(isPro, 0)), when: list(event(1*day, "visit")),
		then: list("day 1: entered active 1, event", "day 1: entered keen 1, event"),
		due:  list("active day 8", "keen day 8"),
	},
	{
		name:    "a leave by the clock cascades, as a leave and as a join",
		buckets: list(active, keen, quiet),
		given: list(
			has(isPro, 0), happened("visit", 0), stay("active", 1, 0), stay("keen", 1, 0),
			due("active", 7*day), due("keen", 7*day), due("quiet", 7*day),
		),
		when: list(clock(7 * day)),
		then: list("day 7: left active 1, clock, criteria", "day 7: left keen 1, clock, criteria", "day 7: entered quiet 1, clock"),
	},
	{
		name:    "add and remove cascade",
		buckets: list(vip, vipPro, offVip), given: list(has(isPro, 0), happened("purchase", 0), stay("a-buyer-off-vip", 1, 0)),
		when: list(add(1*day, "vip"), remove(2*day, "vip")),
		then: list(
			"day 1: entered vip 1, manual", "day 1: left a-buyer-off-vip 1, manual, criteria", "day 1: entered vip-pro 1, manual",
			"day 2: left vip 1, manual, manual", "day 2: left vip-pro 1, manual, criteria", "day 2: entered a-buyer-off-vip 2, manual",
		),
	},
	{
		name:    "a paused bucket is seen as it was",
		buckets: list(active, keen), given: list(paused("active"), happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(traits(9*day, isPro)),
		then: list("day 9: entered keen 1, event"),
		due:  list("active day 7"),
	},
}

func define(id string, spec bucket.Spec) bucket.Definition {
	spec.ID = id
	return bucket.Define(spec)
}

func list[T any](all ...T) []T { return slices.Clip(all) }
