package bucketgen

// Delivery is a transition on its way to a subscription.
type Delivery struct {
	// Subscription is the name of the subscription.
	Subscription string

	// Transition is what is delivered.
	Transition Transition

	// Attempt counts the attempts, from 1.
	Attempt int
}
