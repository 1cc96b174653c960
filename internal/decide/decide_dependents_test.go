package decide_test

// The rows of TestDecide about buckets that depend on buckets.

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
