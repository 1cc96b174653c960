package manage

import "github.com/bucketgen/bucketgen"

// readTypes say what the schemas of lists and of what is read about one user are.
var readTypes = map[string]string{
	"AllSizes":    "The sizes of several buckets over time",
	"BucketSizes": "The size of one of several buckets over time",
	"SourceFlow":  "Joins and leaves of a bucket by one cause",

	"Activity":     "An event of a user, or a transition: one of both",
	"FoundUser":    "A user that a search found",
	"FoundUsers":   "The users that a search found",
	"LoggedEvent":  "An event, or traits, as received",
	"Property":     "A property of a user",
	"User":         "What is known of a user, but for what they did",
	"UserActivity": "A page of the activity of a user",
	"UserEvents":   "A page of the events of a user",

	"Explanations":  "Why a user is in some buckets or not",
	"Forecast":      "What happens to a user",
	"ImaginedEvent": "An event that is imagined",
	"WhatIf":        "Events to imagine, and how far to forecast",

	"CatalogHour":  "How often a name arrived in an hour",
	"CatalogName":  "An event name or a property as declared and as received",
	"CatalogNames": "A page of event names or properties",
	"Events":       "A page of the latest events of a server",
	"Live":         "The transitions of the last minute",
	"LiveBucket":   "The transitions of a bucket",
	"LiveSecond":   "The transitions of a second",
	"RecentEvent":  "An event, or traits, as stored",

	"BucketTransitions": "A page of the transitions of a bucket",

	"Criteria":      "The criteria of a bucket as a tree",
	"CriteriaNode":  "A condition, or a combination of conditions; properties that do not apply are missing",
	"Definition":    "What was deployed of a bucket for a while",
	"Definitions":   "A page of definitions",
	"Subscription":  "What a handler or forwarder wants to learn of",
	"Subscriptions": "A page of subscriptions",
	"Uses":          "What a bucket depends on, and what depends on it",

	"BucketRow": "A bucket in a list, with its numbers",
	"BucketState": "What happens to the memberships: users join and leave (live), users are still evaluated after a deployment (following), " +
		"memberships are frozen (paused), another definition is deployed, or none (other), or the bucket has members and this server does not define it (gone)",
	"Summary": "How the server and its database are doing",
}

// readValues are what schemas of texts may be.
var readValues = map[string][]any{
	"BucketState": {
		string(bucketgen.BucketLive), string(bucketgen.BucketFollowing), string(bucketgen.BucketPaused), string(bucketgen.BucketOther), string(bucketgen.BucketGone),
	},
}

// readKinds are the properties and parameters that are of those.
var readKinds = map[string]string{
	"BucketRow.state": "BucketState", "SourceFlow.source": "Source", "AllSizes.step": "Step", "listBuckets.state": "BucketState",
	"CatalogName.kind":     "CatalogKind",
	"listTransitions.kind": "Kind", "listTransitions.source": "Source", "listTransitions.reason": "Reason",
	"listMembers.source": "Source", "exportMembers.source": "Source",
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

	"Criteria.criteria": "The root of the tree; missing for a manual bucket",
	"Criteria.policy":   "The policy, in words",
	"Criteria.timed":    "Whether the passing of time alone can change its memberships",
	"Criteria.asks":     "Ids of the buckets that the criteria asks about",
	"Criteria.wakes":    "What can change its memberships: event, property, bucket, clock",

	"CriteriaNode.words":         "The condition, in words",
	"CriteriaNode.op":            "Name of the operation, such as all, any, is, or at_least",
	"CriteriaNode.negated":       "Whether the condition holds if the operation does not",
	"CriteriaNode.events":        "Names of the events that it asks about, in its order",
	"CriteriaNode.property":      "Property that it asks about: its path, with dots between the keys",
	"CriteriaNode.bucket":        "Id of the bucket that it asks about",
	"CriteriaNode.count":         "Number of occurrences, elements or parts that it compares with",
	"CriteriaNode.window":        "Window in which occurrences count, in words",
	"CriteriaNode.windowSeconds": "Length of the window in seconds; missing for all time, and for a day, week or month of the calendar",
	"CriteriaNode.wakes": "What can change its result: an event, a property of the user, a join or leave of another bucket (bucket), " +
		"or the passing of time alone (clock); missing for a combination",
	"CriteriaNode.parts": "Combined conditions",

	"Definition.words":   "The criteria and the policy, in words",
	"Definition.since":   "Number of the deployment that brought it",
	"Definition.sinceAt": "When that was",
	"Definition.until":   "Number of the deployment that ended it; missing while it is deployed",
	"Definition.untilAt": "When that was",

	"Subscription.name":      "Name of the handler or forwarder",
	"Subscription.bucketId":  "Id of the bucket; missing for all buckets",
	"Subscription.kinds":     "Kinds of transitions that it wants",
	"Subscription.firstOnly": "Whether it wants only the first stay of a user",
	"Subscription.reasons":   "Reasons of leaves that it wants; missing for all",
	"Subscription.tick":      "Label of the ticks that it wants; missing for all",

	"Uses.events":        "Names of the events that the criteria asks about",
	"Uses.properties":    "Properties that the criteria asks about",
	"Uses.asks":          "Ids of the buckets that the criteria asks about",
	"Uses.askedBy":       "Ids of the buckets whose criteria ask about it",
	"Uses.subscriptions": "Subscriptions to it and to all buckets, ordered by name",

	"Forecast.at":            "Time of the forecast: now",
	"Forecast.until":         "End of the forecast",
	"Forecast.buckets":       "Ids of the buckets of which the user is a member, at the time of the forecast",
	"Forecast.transitions":   "Transitions in the order of time",
	"Forecast.completeUntil": "Set if the forecast was cut off: nothing else happens before this time, and what follows was not computed",

	"Activity.at":         "When it occurred, or became true",
	"Activity.event":      "The event; missing for a transition",
	"Activity.transition": "The transition; missing for an event",

	"FoundUser.name":      "The property name of the user, up to 200 characters",
	"FoundUser.createdAt": "When the user was first heard of",
	"FoundUser.deleted":   "Whether the user is deleted; then there is no e-mail address and no name",

	"CatalogHour.at":    "Start of the hour, in UTC",
	"CatalogHour.count": "How often it arrived",

	"CatalogName.kind":     "Kind of the name",
	"CatalogName.event":    "Name of the event; missing for a property",
	"CatalogName.name":     "Name of the property: its path, with dots between the keys; missing for an event",
	"CatalogName.declared": "Whether a definition uses it",
	"CatalogName.types":    "Declared types; missing if any type matches",
	"CatalogName.seen":     "What was received, by type; missing if nothing was",
	"CatalogName.count":    "How often it was received, with any type",
	"CatalogName.near":     "Declared names that may be meant; for a declared name that was never received, received names that may stand for it",
	"CatalogName.lastSeen": "When it last arrived; missing if it never has",
	"CatalogName.hours":    "Hours in which it arrived, of this one and the 23 before, in order",
	"CatalogName.usedBy":   "Ids of the buckets that ask about it, the first 20",
	"CatalogName.uses":     "Number of buckets that ask about it",

	"Live.asOf":    "Moment of all numbers",
	"Live.since":   "When counting began: a minute before asOf, or later",
	"Live.seconds": "Seconds with transitions, in order",
	"Live.buckets": "Buckets with transitions, those with the most first, up to 100",

	"LiveBucket.entered": "Number of joins",
	"LiveBucket.left":    "Number of leaves",
	"LiveBucket.dwell":   "Number of ticks",
	"LiveSecond.at":      "Start of the second in which the server saw them",
	"LiveSecond.entered": "Number of joins",
	"LiveSecond.left":    "Number of leaves",
	"LiveSecond.dwell":   "Number of ticks",

	"RecentEvent.id":         "Number of the event, counted by the server since its start",
	"RecentEvent.name":       "Name of the event; missing if it only set traits",
	"RecentEvent.occurredAt": "When it occurred",
	"RecentEvent.receivedAt": "When it was received",
	"RecentEvent.properties": "Payload of the event",
	"RecentEvent.traits":     "Properties that it set on the user",
	"RecentEvent.once":       "Properties that it set if the user had none of the name",

	"LoggedEvent.name":       "Name of the event; missing if it only set traits",
	"LoggedEvent.occurredAt": "When it occurred",
	"LoggedEvent.receivedAt": "When it was received",
	"LoggedEvent.properties": "Payload of the event",
	"LoggedEvent.traits":     "Properties that it set on the user",

	"Property.name":      "Name of the property",
	"Property.value":     "Its value",
	"Property.type":      "Declared type: text, number, bool, time or list; missing if any type matches",
	"Property.declared":  "Whether a definition uses it",
	"Property.changedAt": "When a declared property changed last; missing if that is not known",
	"Property.was":       "Its value before that; missing if there was none",

	"User.userId":       "Id by which the user goes",
	"User.createdAt":    "When the user was first heard of",
	"User.updatedAt":    "When a property changed last, or the user was deleted or restored",
	"User.deletedAt":    "When the user was deleted; missing if they are not",
	"User.merged":       "Ids of users who were merged into this one, up to 100",
	"User.anonymousIds": "Anonymous ids of the user, up to 100",
	"User.traits":       "Properties of the user, ordered by name",

	"SourceFlow.entered": "Number of joins, announced or not",
	"SourceFlow.left":    "Number of leaves; deleting a user is not a leave",
	"SourceFlow.source":  "Cause of the joins and leaves",

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
