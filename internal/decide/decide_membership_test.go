package decide_test

import "github.com/bucketgen/bucketgen/internal/decide"

// The rows of TestDecide about what joins and ends stays, and which joins are announced.

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
