package decide_test

import "github.com/bucketgen/bucketgen/bucket"

// The rows of TestDecide about what only time moves, and the order at one instant.

var windows = []row{
	{
		name:    "a join schedules the instant at which the window ends",
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
		name:    "with ReconcileJoins off no instant is scheduled at which the criteria begin to hold",
		buckets: list(lapsed), when: list(traits(0, `{"renewal":"2026-01-01T00:00:00Z"}`)),
	},
	{
		name:    "with ReconcileJoins off the clock joins no user",
		buckets: list(lapsed), given: list(has(`{"renewal":"2026-01-01T00:00:00Z"}`, 0), due("lapsed", 1*day)), when: list(clock(2 * day)),
	},
	{
		name:    "with ReconcileJoins off reconcile joins no user",
		buckets: list(lapsed), given: list(has(`{"renewal":"2026-01-01T00:00:00Z"}`, 0)), when: list(reconcile(2 * day)),
	},
	{
		name:    "with ReconcileJoins off the next event about it joins",
		buckets: list(lapsed), given: list(has(`{"renewal":"2026-01-01T00:00:00Z"}`, 0)),
		when: list(traits(2*day, `{"renewal":"2026-01-01T12:00:00Z"}`)),
		then: list("day 2: entered lapsed 1, event"),
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
		name: "max dwell wins over criteria that fail at the same instant, without a block",
		buckets: list(define("brief", bucket.Spec{
			Criteria: bucket.Any(thisWeek, renewal.MoreThanAgo(day)), MaxDwell: 7 * day,
		})),
		given: list(has(`{"renewal":"2026-01-08T00:00:00Z"}`, 0), happened("visit", 0), stay("brief", 1, 0), due("brief", 7*day)),
		when:  list(clock(7*day), clock(8*day)),
		then:  list("day 7: left brief 1, clock, maxDwell", "day 8: entered brief 2, clock"),
		due:   list("brief day 15"),
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
