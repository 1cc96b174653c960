package decide_test

import "github.com/bucketgen/bucketgen/bucket"

// The rows of TestDecide about deployments.

var deployments = []row{
	{
		name:    "a new bucket joins those who match, unannounced",
		buckets: list(pro), given: list(has(isPro, 0)), when: list(deployed(5*day, "pro")),
		then: list("day 5: entered pro 1, backfill, not announced"),
	},
	{
		name:    "a deployment can announce joins",
		buckets: list(pro), given: list(has(isPro, 0)), when: list(deployed(5*day, "pro", announcingJoins)),
		then: list("day 5: entered pro 1, backfill"),
	},
	{
		name:    "changed criteria announce leaves",
		buckets: list(pro), given: list(has(isFree, 0), stay("pro", 1, 0)), when: list(deployed(5*day, "pro")),
		then: list("day 5: left pro 1, backfill, criteria"),
	},
	{
		name:    "a silent deployment announces no leaves",
		buckets: list(pro), given: list(has(isFree, 0), stay("pro", 1, 0)), when: list(deployed(5*day, "pro", silent)),
		then: list("day 5: left pro 1, backfill, criteria, not announced"),
	},
	{
		name:    "a changed bucket respects min dwell",
		buckets: list(patient), given: list(has(isFree, 0), stay("patient", 1, 0)), when: list(deployed(1*day, "patient")),
		due: list("patient day 3"),
	},
	{
		name:    "the due instant of an old definition is dropped, that of other buckets is done first",
		buckets: list(active, patient),
		given: list(
			happened("visit", 0), stay("active", 1, 0), due("active", 7*day),
			has(isPro, 0), stay("patient", 1, 0), due("patient", 6*day),
		),
		when: list(deployed(8*day, "patient")),
		then: list("day 7: left active 1, clock, criteria, decided day 8"),
	},
	{
		name:    "ticks before the deployment are skipped, later ones count from the historical instant",
		buckets: list(define("ticking", bucket.Spec{Criteria: purchase.Exists(), Dwell: []bucket.Tick{bucket.Every(2 * day)}})),
		given:   list(happened("purchase", 0)), when: list(deployed(5*day, "ticking"), clock(6*day)),
		then: list("day 5: entered ticking 1, backfill, not announced", "day 6: tick ticking 1, every 2d no. 3, clock"),
		due:  list("ticking day 8"),
	},
	{
		name:    "a changed bucket skips the ticks that were due",
		buckets: list(ticking), given: list(has(isPro, 0), stay("ticking", 1, 0), due("ticking", 1*day)),
		when: list(deployed(5*day, "ticking"), clock(6*day)),
		then: list("day 6: tick ticking 1, every 2d no. 3, clock"),
		due:  list("ticking day 8"),
	},
	{
		name:    "a bucket that did not change does not move with the others",
		buckets: list(pro, buyer), given: list(happened("purchase", 0), has(isPro, 0)), when: list(deployed(5*day, "pro")),
		then: list("day 5: entered pro 1, backfill, not announced"),
	},
	{
		name:    "with ReconcileJoins off a new bucket joins those who match, too",
		buckets: list(lapsed), given: list(has(`{"renewal":"2026-01-01T00:00:00Z"}`, 0)), when: list(deployed(5*day, "lapsed")),
		then: list("day 5: entered lapsed 1, backfill, not announced"),
	},
	{
		name: "a bucket that depends on a changed one keeps the tick of that instant for the clock",
		buckets: list(pro, define("visited-or-pro", bucket.Spec{
			Criteria: bucket.Any(visit.Exists(), bucket.InBucket("pro")), Dwell: []bucket.Tick{bucket.Every(5 * day)},
		})),
		given: list(has(isPro, 0), happened("visit", 0), stay("visited-or-pro", 1, 0), due("visited-or-pro", 5*day)),
		when:  list(deployed(5*day, "pro")),
		then:  list("day 5: entered pro 1, backfill, not announced"),
		due:   list("visited-or-pro day 5"),
	},
	{
		name:    "what a process with other definitions did is caught up with, as an event",
		buckets: list(pro), given: list(has(isPro, 3*day), left("pro", 1, 0, 3*day)), when: list(changedElsewhere(5*day, "pro")),
		then: list("day 3: entered pro 2, event, decided day 5"),
	},
}
