package decide_test

// The rows of TestDecide about events that arrive late or correct an earlier one.

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
