package manage

import "github.com/bucketgen/bucketgen"

// readTypes say what the schemas of lists and of what is read about one user are.
var readTypes = map[string]string{
	"BucketRow":   "A bucket in a list, with its numbers",
	"BucketState": "What happens to the memberships: users join and leave (live), users are still evaluated after a deployment (following), memberships are frozen (paused), another definition is deployed, or none (other), or the bucket has members and this server does not define it (gone)",
	"Summary":     "How the server and its database are doing",
}

// readValues are what schemas of texts may be.
var readValues = map[string][]any{
	"BucketState": {
		string(bucketgen.BucketLive), string(bucketgen.BucketFollowing), string(bucketgen.BucketPaused), string(bucketgen.BucketOther), string(bucketgen.BucketGone),
	},
}

// readKinds are the properties and parameters that are of those.
var readKinds = map[string]string{
	"BucketRow.state": "BucketState", "listBuckets.state": "BucketState",
}

// readProperties describe properties by schema and name.
var readProperties = map[string]string{
	"BucketRow.state":    "What happens to its memberships",
	"BucketRow.followed": "Share of the users who were evaluated, from 0 to 1, while it is following",
	"BucketRow.timed":    "Whether the passing of time alone can change its memberships",
	"BucketRow.trend":    "Number of members at the end of each of the last seven days in UTC; the last number is the current one",
	"BucketRow.today":    "Joins and leaves since the day began, in UTC",
	"BucketRow.overdue":  "Number of users whose due instants have passed; of all buckets, the 10,000 longest overdue are counted",

	"Flow.entered": "Number of joins, announced or not",
	"Flow.left":    "Number of leaves; deleting a user is not a leave",

	"SizePoint.entered": "Number of joins, announced or not",
	"SizePoint.left":    "Number of leaves; deleting a user is not a leave",

	"Summary.asOf":             "Moment of all numbers",
	"Summary.buckets":          "Number of buckets of this server",
	"Summary.paused":           "Number of them that are paused",
	"Summary.otherDeployed":    "Number of them of which another definition, or none, is deployed",
	"Summary.clockLagSeconds":  "How long the earliest due instant has been waiting for the clock, in seconds; 0 if none waits",
	"Summary.overdue":          "Number of due instants that have passed, up to 10,000",
	"Summary.outboxLagSeconds": "How long the first delivery that may go out has been waiting, in seconds; 0 if none waits",
	"Summary.waiting":          "Number of waiting deliveries, up to 10,000",
	"Summary.dead":             "Number of dead letters, up to 10,000",
	"Summary.deployment":       "The last deployment; missing if there was none",
	"Summary.agreed":           "Whether the definitions of this server are deployed",
}
