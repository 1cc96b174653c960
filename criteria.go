package bucketgen

// Criteria is the criteria of a bucket for programs.
type Criteria struct {
	BucketID string        `json:"bucketId"`
	Manual   bool          `json:"manual,omitempty"`   // the bucket has no criteria
	Criteria *CriteriaNode `json:"criteria,omitempty"` // nil for a manual bucket
	Policy   []string      `json:"policy"`             // in words
	Timed    bool          `json:"timed,omitempty"`    // the passing of time alone can change its members
	Asks     []string      `json:"asks"`               // the ids of the buckets that the criteria asks about
	Wakes    []Wake        `json:"wakes"`              // what can change the members
}

// CriteriaNode is one condition, or a combination of several. What does not apply is zero.
type CriteriaNode struct {
	Words         string         `json:"words"`
	Op            string         `json:"op"`                // all, any, at_least_of, is, at_least, …
	Negated       bool           `json:"negated,omitempty"` // the condition holds if the operation does not
	Events        []string       `json:"events,omitempty"`  // those that it asks about, in its order
	Property      string         `json:"property,omitempty"`
	Bucket        string         `json:"bucket,omitempty"`
	Count         int            `json:"count,omitempty"`         // of occurrences, elements or parts
	Window        string         `json:"window,omitempty"`        // in words
	WindowSeconds float64        `json:"windowSeconds,omitempty"` // 0 for windows of the calendar, too
	Wakes         []Wake         `json:"wakes,omitempty"`         // of a single condition
	Parts         []CriteriaNode `json:"parts,omitempty"`         // of a combination
}

// Wake is what can change the result of a condition.
type Wake string

// What can change results. Of another bucket it is a join or a leave.
const (
	WakeEvent    Wake = "event"
	WakeProperty Wake = "property"
	WakeBucket   Wake = "bucket"
	WakeClock    Wake = "clock"
)

// Subscription is a subscription to transitions: of a handler or of a forwarder.
type Subscription struct {
	Name      string   `json:"name"`
	BucketID  string   `json:"bucketId,omitempty"` // empty: all buckets
	Kinds     []Kind   `json:"kinds"`
	FirstOnly bool     `json:"firstOnly,omitempty"` // only the first stay of a user
	Reasons   []Reason `json:"reasons,omitempty"`   // of leaves; none: all
	Tick      string   `json:"tick,omitempty"`      // the label of the ticks; empty: all
}

// Uses is what a bucket depends on, and what depends on it.
type Uses struct {
	BucketID      string         `json:"bucketId"`
	Events        []string       `json:"events"`        // those that its criteria asks about
	Properties    []string       `json:"properties"`    // those that its criteria asks about
	Asks          []string       `json:"asks"`          // the buckets that its criteria asks about
	AskedBy       []string       `json:"askedBy"`       // the buckets whose criteria ask about it
	Subscriptions []Subscription `json:"subscriptions"` // those to it, and those to all buckets
}
