package manage

import "github.com/bucketgen/bucketgen"

// operationTypes say what the schemas of jobs, of keys and webhooks, and of what operators read
// are.
var operationTypes = map[string]string{
	"BackTestBucket":    "What would have happened to a bucket",
	"BackTestDay":       "What would have happened to a bucket on a day",
	"BackTestDiffers":   "By how much two versions of a bucket differ at the end of a day",
	"BackTestResult":    "What buckets would have come to, had they been deployed from the start of the log",
	"BackTestVersions":  "How a bucket differs from its other version",
	"ChangeMembers":     "The users to add to a manual bucket, or to remove from it",
	"DeadLetterFilter":  "Properties of dead letters; a missing one is any",
	"DeploymentDetail":  "A deployment with the progress of its backfill",
	"Discarded":         "The number of discarded dead letters",
	"MemberChanges":     "What changes of many members come to",
	"NewDeployment":     "How to deploy",
	"RefusedMember":     "A user who cannot be changed",
	"WaitingDeliveries": "A page of the deliveries of a subscription",
	"WaitingDelivery":   "A delivery that is still to be made",
	"DwellBin":          "Number of stays by their length",
	"DwellTimes":        "How long the stays in a bucket lasted that ended in a time",
	"FlowBucket":        "A bucket at the other end of a flow",
	"Flows":             "The buckets that users leave before they enter a bucket, and enter after they leave it",
	"Funnel":            "How many users meet which conditions of a bucket",
	"FunnelPart":        "How many users meet a condition, or a combination of conditions",
	"Job":               "Long work that a process does in the background",
	"JobKind":           "What a job does",
	"JobParams":         "What a job is about",
	"JobState":          "How far a job is; done, failed and cancelled are final",
	"JobUsers":          "A page of the users in a list of a job",
	"Jobs":              "A page of jobs",
	"NewJob":            "What a job is to do; each kind takes some of the properties",
	"Overlap":           "Which buckets the members of a bucket share",
	"OverlapBucket":     "A bucket that members of another share",
	"OverlapSet":        "The users who are in exactly these of the buckets that were asked for",
	"Preview":           "Who would be in a bucket if the definitions of this server were deployed",
	"Reconciliation":    "A derivation of all memberships anew",
	"Retirement":        "The number of users who left a bucket that is not deployed any more",
}

// operationValues are what schemas of texts may be.
var operationValues = map[string][]any{
	"JobKind": {
		string(bucketgen.JobPlan), string(bucketgen.JobPreview), string(bucketgen.JobBackTest), string(bucketgen.JobFunnel), string(bucketgen.JobOverlap),
		string(bucketgen.JobFlows), string(bucketgen.JobDwell), string(bucketgen.JobReconcile), string(bucketgen.JobRetire),
	},
	"JobState": {
		string(bucketgen.JobWaiting), string(bucketgen.JobRunning), string(bucketgen.JobDone), string(bucketgen.JobFailed), string(bucketgen.JobCancelled),
	},
}

// operationKinds are the properties that are of those.
var operationKinds = map[string]string{
	"Job.kind": "JobKind", "Job.state": "JobState", "NewJob.kind": "JobKind", "DeploymentDetail.kind": "Change", "DeploymentDetail.emit": "Emit", "NewDeployment.emit": "Emit", "JobParams.emit": "Emit", "NewJob.emit": "Emit", "Preview.status": "Status",
}

// operationProperties describe properties by schema and name.
var operationProperties = map[string]string{
	"BackTestBucket.entered": "Number of joins",
	"BackTestBucket.left":    "Number of leaves",
	"BackTestBucket.members": "Number of members at the end",
	"BackTestBucket.days":    "Days in UTC, from the first on which anything happened to the last",
	"BackTestBucket.against": "Comparison with the other version; missing without one",

	"BackTestDay.at":      "Start of the day",
	"BackTestDay.entered": "Number of joins",
	"BackTestDay.left":    "Number of leaves",
	"BackTestDay.members": "Number of members at the end of the day",

	"BackTestDiffers.at":        "Start of the day",
	"BackTestDiffers.onlyRun":   "Number of users in the version that was run only",
	"BackTestDiffers.onlyOther": "Number of users in the other version only",
	"BackTestDiffers.both":      "Number of users in both versions",

	"BackTestResult.users":   "Number of users in the log",
	"BackTestResult.events":  "Number of events that were replayed",
	"BackTestResult.until":   "How far the clock ran",
	"BackTestResult.buckets": "The reported buckets",

	"BackTestVersions.other":      "The other version",
	"BackTestVersions.onlyRun":    "Number of users in the version that was run only, at the end",
	"BackTestVersions.onlyOther":  "Number of users in the other version only, at the end",
	"BackTestVersions.both":       "Number of users in both versions, at the end",
	"BackTestVersions.days":       "Days at whose end the members differ",
	"BackTestVersions.runUsers":   "Some users in the version that was run only",
	"BackTestVersions.otherUsers": "Some users in the other version only",

	"DwellBin.fromSeconds": "Shortest length, in seconds",
	"DwellBin.toSeconds":   "Length that the stays do not reach, in seconds; missing for the longest stays",
	"DwellBin.stays":       "Number of stays",

	"DwellTimes.since":         "Start of the time in which the stays ended; missing for all time",
	"DwellTimes.until":         "End of that time",
	"DwellTimes.ended":         "Number of stays that ended",
	"DwellTimes.meanSeconds":   "Mean length, in seconds",
	"DwellTimes.medianSeconds": "Median length, in seconds",
	"DwellTimes.p90Seconds":    "Length that nine of ten stays do not exceed, in seconds",
	"DwellTimes.histogram":     "All bins, the shortest stays first",

	"FlowBucket.stays": "Number of stays in the bucket that was asked for",

	"Flows.since":         "Start of the time in which the stays began or ended",
	"Flows.until":         "End of that time",
	"Flows.withinSeconds": "Longest time between the two stays, in seconds",
	"Flows.entered":       "Number of stays that began",
	"Flows.left":          "Number of stays that ended",
	"Flows.from":          "Buckets that users left before, the most stays first",
	"Flows.to":            "Buckets that users entered afterwards, the most stays first",

	"Funnel.at":       "When the evaluation began",
	"Funnel.users":    "Number of users",
	"Funnel.looked":   "Number of users who were evaluated",
	"Funnel.criteria": "The whole criteria; missing for a manual bucket",

	"FunnelPart.node":      "Place of the condition in the criteria",
	"FunnelPart.words":     "The condition in words",
	"FunnelPart.count":     "Users who meet it",
	"FunnelPart.remaining": "Users who meet it and all parts before it, for a part of an all-of",
	"FunnelPart.only":      "Users who meet all parts but this, for a part of an all-of that is the whole criteria; the list only:NODE of the job names some",
	"FunnelPart.parts":     "Parts of a combination",

	"Job.id":         "Id of the job",
	"Job.kind":       "What it does",
	"Job.params":     "What it is about",
	"Job.by":         "Name of the person who asked",
	"Job.state":      "How far it is",
	"Job.createdAt":  "When it was asked for",
	"Job.startedAt":  "When the present attempt began; missing while it waits",
	"Job.finishedAt": "When it ended; missing before",
	"Job.attempts":   "Number of processes that did it: more than 1 if some died",
	"Job.cancelling": "Whether it was cancelled and a process has not noticed yet",
	"Job.done":       "Number of users that were evaluated",
	"Job.total":      "Number of users to evaluate; 0 if not known",
	"Job.error":      "Why it failed",
	"Job.plan":       "Result of a plan job",
	"Job.preview":    "Result of a preview job",
	"Job.backTest":   "Result of a backtest job",
	"Job.funnel":     "Result of a funnel job",
	"Job.overlap":    "Result of an overlap job",
	"Job.flows":      "Result of a flows job",
	"Job.dwell":      "Result of a dwell job",
	"Job.reconcile":  "Result of a reconcile job",
	"Job.retire":     "Result of a retire job",

	"JobParams.with":          "Buckets that a back-test reports, or that an overlap combines",
	"JobParams.sample":        "Fraction of the users to evaluate; missing for all",
	"JobParams.users":         "Number of users to name in each list; -1 for none",
	"JobParams.against":       "Bucket that a back-test compares with",
	"JobParams.recorded":      "Whether a back-test compares with what happened",
	"JobParams.since":         "Start of what flows or dwell are about",
	"JobParams.until":         "End of what flows, dwell or a back-test are about",
	"JobParams.withinSeconds": "Longest time between two stays that flows connect, in seconds",

	"MemberChanges.asked":     "Number of users that were given",
	"MemberChanges.changed":   "Number of users who joined or left; in a dry run, of those who would",
	"MemberChanges.unchanged": "Number of users who were in the bucket already, or were not in it",
	"MemberChanges.created":   "Number of those who would join that are unknown so far, in a dry run",
	"MemberChanges.refused":   "Users who cannot be changed",

	"RefusedMember.detail": "Why the user cannot be changed",

	"WaitingDelivery.id":         "Number of the delivery",
	"WaitingDelivery.transition": "The transition to deliver",
	"WaitingDelivery.attempts":   "Number of attempts that failed",
	"WaitingDelivery.nextAt":     "When the next attempt is due",
	"WaitingDelivery.underWay":   "Whether a process is making it now",
	"WaitingDelivery.behind":     "Whether an earlier delivery of the same user and bucket comes first",
	"WaitingDelivery.paused":     "Whether it waits because the bucket is paused",
	"WaitingDelivery.error":      "Error of the last attempt; missing without one",

	"DeploymentDetail.no":          "Number of the deployment",
	"DeploymentDetail.kind":        "Whether definitions were deployed, or a bucket was paused or resumed",
	"DeploymentDetail.fingerprint": "Fingerprint of all deployed definitions",
	"DeploymentDetail.at":          "When it was deployed",
	"DeploymentDetail.rate":        "Maximum users per second of the backfill; missing for no limit",
	"DeploymentDetail.users":       "Number of users at the time of the deployment",
	"DeploymentDetail.followed":    "Number of users evaluated so far, roughly",
	"DeploymentDetail.joined":      "Number of joins it caused so far",
	"DeploymentDetail.left":        "Number of leaves it caused so far",
	"DeploymentDetail.finishedAt":  "When the backfill finished; missing until then",

	"Overlap.at":      "When the members were counted",
	"Overlap.members": "Members of the bucket that was asked for",
	"Overlap.others":  "Buckets that share members, the largest share first",
	"Overlap.sets":    "Combinations with the buckets that were asked for, the largest first",

	"OverlapBucket.members": "Members of the other bucket",
	"OverlapBucket.both":    "Users who are in both buckets",
	"OverlapBucket.share":   "Share of the members of the bucket that was asked for, from 0 to 1",

	"OverlapSet.bucketIds": "The buckets that the users are in",
	"OverlapSet.users":     "Number of users",

	"Preview.status":  "How the definition differs from the deployed one",
	"Preview.at":      "When the evaluation began",
	"Preview.looked":  "Number of users who were evaluated",
	"Preview.now":     "Members by the deployed definition",
	"Preview.members": "Members after a deployment",
	"Preview.some":    "Some of those members",

	"Reconciliation.no":         "Number of the reconciliation",
	"Reconciliation.startedAt":  "When it began",
	"Reconciliation.users":      "Number of users at its start",
	"Reconciliation.checked":    "Number of users that were checked",
	"Reconciliation.repaired":   "Number of memberships and due instants that were wrong",
	"Reconciliation.finishedAt": "When it ended; missing before",

	"Retirement.left": "Number of users who left",
}
