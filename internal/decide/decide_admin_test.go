package decide_test

// The rows of TestDecide about what admins do, and about reconcile.

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
		name:    "a user whose manual stay ended by max dwell can be added again",
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
