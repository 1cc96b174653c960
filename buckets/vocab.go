package buckets

import "github.com/bucketgen/bucketgen/bucket"

// Properties of users.
var (
	// Plan is what the user subscribes to: "free", "trial" or "pro".
	Plan = bucket.Text("plan")

	// TrialDaysLeft is how many days of a trial are left, as the billing system counts them every
	// night.
	TrialDaysLeft = bucket.Number("trial_days_left")

	// TrialEndsAt is the instant at which a trial ends.
	TrialEndsAt = bucket.Time("trial_ends_at")

	// Unsubscribed says that the user wants no messages.
	Unsubscribed = bucket.Bool("unsubscribed")
)

// Events of users.
var (
	// AppActive occurs when a user does something in the app.
	AppActive = bucket.Event("app.active")

	// SubscriptionStarted occurs when a user begins to pay.
	SubscriptionStarted = bucket.Event("subscription.started")
)
