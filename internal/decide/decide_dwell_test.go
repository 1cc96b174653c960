package decide_test

import "github.com/bucketgen/bucketgen/bucket"

// The rows of TestDecide about min dwell, max dwell and ticks.

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
		name:    "a join schedules the end of max dwell",
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
		buckets: list(capped), given: list(happened("purchase", 0), blocked("capped", 1, 0, 3*day), due("capped", 4*day)),
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
		name:    "an admin joins no blocked user to a bucket that asks about the one that changes",
		buckets: list(vip, define("pro-or-vip", bucket.Spec{Criteria: bucket.Any(plan.Is("pro"), bucket.InBucket("vip")), MaxDwell: 3 * day})),
		given:   list(has(isPro, 0), blocked("pro-or-vip", 1, 0, 3*day)),
		when:    list(add(4*day, "vip"), remove(5*day, "vip")),
		then:    list("day 4: entered vip 1, manual", "day 5: left vip 1, manual, manual"),
		blocked: list("pro-or-vip"),
	},
	{
		name:    "a deployment does not join a blocked user",
		buckets: list(brief), given: list(has(isPro, 0), blocked("brief", 1, 0, 3*day)), when: list(deployed(5*day, "brief")),
		blocked: list("brief"),
	},
	{
		name:    "the clock ends the block when the criteria fail",
		buckets: list(define("brief", bucket.Spec{Criteria: thisWeek, MaxDwell: 3 * day})),
		given:   list(happened("visit", 0), stay("brief", 1, 0), due("brief", 3*day)), when: list(clock(3*day), clock(7*day)),
		then: list("day 3: left brief 1, clock, maxDwell"),
	},
	{
		name:    "max dwell ends a manual stay, without a block",
		buckets: list(guest), given: list(stay("guest", 1, 0), due("guest", 3*day)), when: list(clock(3 * day)),
		then: list("day 3: left guest 1, clock, maxDwell"),
	},
	{
		name:    "reconcile ends a stay by max dwell whose due instant is missing",
		buckets: list(capped), given: list(happened("purchase", 0), stay("capped", 1, 0)), when: list(reconcile(4 * day)),
		then:    list("day 4: left capped 1, reconcile, maxDwell", "repaired 1"),
		blocked: list("capped"),
	},
	{
		name:    "an event does not end a stay by max dwell at its own instant, the clock does",
		buckets: list(capped), given: list(stay("capped", 1, 0), due("capped", 3*day)), when: list(event(3*day, "purchase")),
		due: list("capped day 3"),
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
		name:    "a join schedules the first tick",
		buckets: list(ticking), when: list(traits(0, isPro)),
		then: list("day 0: entered ticking 1, event"),
		due:  list("ticking day 1"),
	},
	{
		name:    "a tick on time schedules the next",
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
		name:    "a real clock sends no tick that it missed after the end of the stay",
		buckets: list(define("brief", bucket.Spec{Criteria: plan.Is("pro"), MaxDwell: 5 * day, Dwell: []bucket.Tick{bucket.Every(2 * day)}})),
		given:   list(live, has(isPro, 0), stay("brief", 1, 0), due("brief", 2*day)), when: list(clock(9 * day)),
		then: list(
			"day 4: tick brief 1, every 2d no. 2, clock, decided day 9",
			"day 5: left brief 1, clock, maxDwell, decided day 9",
		),
		blocked: list("brief"),
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
