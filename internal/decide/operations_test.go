package decide_test

import "github.com/bucketgen/bucketgen/bucket"

// The rows of TestDecide about what admins and deployments do.

var byAdmin = []row{
	{
		name:    "add joins a manual bucket",
		buckets: list(vip), when: list(add(0, "vip")),
		then: list("day 0: entered vip 1, manual"),
	},
	{
		name:    "add of a member changes nothing",
		buckets: list(vip), given: list(stay("vip", 1, 0)), when: list(add(1*day, "vip")),
	},
	{
		name:    "remove does not wait for min dwell",
		buckets: list(vip), given: list(stay("vip", 1, 0)), when: list(remove(1*day, "vip")),
		then: list("day 1: left vip 1, manual, manual"),
	},
	{
		name:    "remove of a user who is not in changes nothing",
		buckets: list(vip), given: list(left("vip", 1, 0, 1*day)), when: list(remove(2*day, "vip")),
	},
	{
		name:    "a user who was removed can be added again",
		buckets: list(vip), given: list(left("vip", 1, 0, 1*day)), when: list(add(2*day, "vip")),
		then: list("day 2: entered vip 2, manual"),
	},
	{
		name:    "max dwell ends a manual stay, without a block",
		buckets: list(guest), when: list(add(0, "guest"), clock(3*day), add(4*day, "guest")),
		then: list("day 0: entered guest 1, manual", "day 3: left guest 1, clock, maxDwell", "day 4: entered guest 2, manual"),
		due:  list("guest day 7"),
	},
	{
		name:    "neither events nor reconcile change a manual bucket",
		buckets: list(vip, buyer), given: list(stay("vip", 1, 0)), when: list(event(5*day, "purchase"), reconcile(6*day)),
		then: list("day 5: entered buyer 1, event"),
	},
	{
		name:    "retire ends a stay, whatever the criteria say",
		buckets: list(patient), given: list(has(isPro, 0), stay("patient", 1, 0)), when: list(retire(1*day, "patient")),
		then: list("day 1: left patient 1, manual, retired"),
	},
}

var pauses = []row{
	{
		name:    "nothing moves in a paused bucket",
		buckets: list(buyer), given: list(known, paused("buyer")), when: list(event(0, "purchase"), reconcile(1*day)),
	},
	{
		name:    "the due instant of a paused bucket stays",
		buckets: list(active), given: list(paused("active"), happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(clock(9 * day)),
		due:  list("active day 7"),
	},
	{
		name:    "add and remove are refused in a paused bucket",
		buckets: list(vip), given: list(paused("vip")), when: list(add(0, "vip"), remove(0, "vip")),
		then: list("refused: the bucket is paused", "refused: the bucket is paused"),
	},
	{
		name:    "a resumed bucket is evaluated, without announcing joins",
		buckets: list(pro), given: list(has(isPro, 0)), when: list(deployed(5*day, "pro", resumed)),
		then: list("day 5: entered pro 1, backfill, not announced"),
	},
	{
		name:    "a resumed bucket sends the last of the ticks that it missed",
		buckets: list(ticking), given: list(has(isPro, 0), stay("ticking", 1, 0), ticked("ticking", 1*day), due("ticking", 2*day)),
		when: list(deployed(7*day, "ticking", resumed)),
		then: list("day 6: tick ticking 1, every 2d no. 3, backfill, decided day 7"),
		due:  list("ticking day 8"),
	},
}

var merges = []row{
	{
		name:    "the loser leaves a bucket that the survivor is in, unannounced",
		buckets: list(pro), given: list(stay("pro", 1, 0)), when: list(yield(2*day, "pro", 1*day)),
		then: list("day 2: left pro 1, event, merged, not announced"),
	},
	{
		name:    "the loser leaves a paused bucket, too",
		buckets: list(pro), given: list(paused("pro"), stay("pro", 1, 0)), when: list(yield(2*day, "pro", 1*day)),
		then: list("day 2: left pro 1, event, merged, not announced"),
	},
	{
		name:    "the survivor continues the loser's stay, as the next of their own",
		buckets: list(pro), given: list(has(isPro, 0), left("pro", 2, 0, 1*day)), when: list(inherit("pro", 1, 2*day), merge(3*day)),
		then: list("stay 1 of the other in pro becomes stay 3"),
	},
	{
		name:    "the survivor's own stay goes on",
		buckets: list(pro), given: list(has(isPro, 0), stay("pro", 1, 0)), when: list(inherit("pro", 1, 2*day), merge(3*day)),
	},
	{
		name:    "the survivor leaves an inherited stay whose criteria fail on both histories",
		buckets: list(pro), given: list(has(isFree, 0)), when: list(inherit("pro", 1, 2*day), merge(3*day)),
		then: list("stay 1 of the other in pro becomes stay 1", "day 3: left pro 1, event, criteria"),
	},
	{
		name:    "a merge lifts a block as an event does",
		buckets: list(capped), given: list(happened("purchase", 0), blocked("capped", 1, 0, 3*day)), when: list(merge(4 * day)),
		then: list("day 4: entered capped 2, event"),
		due:  list("capped day 7"),
	},
}

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
		name:    "what a process with other definitions did is caught up with, as an event",
		buckets: list(pro), given: list(has(isPro, 3*day), left("pro", 1, 0, 3*day)), when: list(changedElsewhere(5*day, "pro")),
		then: list("day 3: entered pro 2, event, decided day 5"),
	},
}

var deletions = []row{
	{
		name:    "a delete ends no stay, and stops the clock",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(deleteUser(1*day), clock(9*day)),
	},
	{
		name:    "events of a deleted user move nothing",
		buckets: list(buyer), given: list(deleted), when: list(event(0, "purchase"), reconcile(1*day)),
	},
	{
		name:    "add is refused for a deleted user",
		buckets: list(vip), given: list(deleted), when: list(add(0, "vip")),
		then: list("refused: the user is deleted"),
	},
	{
		name:    "restore does now what should have happened meanwhile",
		buckets: list(active, buyer), given: list(deleted, happened("visit", 0), stay("active", 1, 0)),
		when: list(event(8*day, "purchase"), restore(9*day)),
		then: list("day 9: left active 1, reconcile, criteria", "day 9: entered buyer 1, reconcile"),
	},
}

var repairs = []row{
	{
		name:    "reconcile changes nothing where all is right",
		buckets: list(active), given: list(happened("visit", 0), stay("active", 1, 0), due("active", 7*day)),
		when: list(reconcile(1 * day)),
		due:  list("active day 7"),
	},
	{
		name:    "reconcile repairs a membership and a due instant that are missing",
		buckets: list(active), given: list(happened("visit", 0)), when: list(reconcile(1 * day)),
		then: list("day 1: entered active 1, reconcile", "repaired 2"),
		due:  list("active day 7"),
	},
}
