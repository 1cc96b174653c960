package decide_test

// The rows of TestDecide about merges.

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
