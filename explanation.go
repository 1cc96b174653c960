package bucketgen

import "time"

// Explanation says why a user is in a bucket or not, and what the clock does next.
type Explanation struct {
	BucketID    string            `json:"bucketId"`
	BucketName  string            `json:"bucketName"`
	UserID      string            `json:"userId,omitempty"`      // empty for a user without a user id
	AnonymousID string            `json:"anonymousId,omitempty"` // as in Transition
	IDs         map[string]string `json:"ids,omitempty"`
	UserEmail   string            `json:"userEmail,omitempty"`
	At          time.Time         `json:"at"` // the time of the explanation: now

	Member bool  `json:"member"`
	Stay   *Stay `json:"stay,omitempty"` // the latest one; nil if there never was any

	Manual       bool         `json:"manual,omitempty"`
	Paused       bool         `json:"paused,omitempty"`
	Other        bool         `json:"otherDeployed,omitempty"` // another definition is deployed, or none: this one moves no user
	Criteria     *Condition   `json:"criteria,omitempty"`      // nil for a manual bucket
	Policy       []string     `json:"policy"`                  // in words
	PolicyEffect PolicyEffect `json:"policyEffect"`            // the effect of the policy on the user

	// Next is what the clock does next if no event arrives: a join, a leave, or ticks that are due
	// together, and after ticks the join or leave that follows. It is empty if time alone never
	// changes anything, or not before NothingUntil.
	Next []Transition `json:"next"`

	// Drift lists what the criteria asks about that arrives, from any user, with another type than
	// the declared one: it matches nothing.
	Drift []Drift `json:"drift,omitempty"`

	// NothingUntil is set where the forecast was cut off: nothing happens until this time, and what
	// follows was not computed. It is the end of the year 9999 where something happens later, which
	// RFC 3339 cannot express.
	NothingUntil time.Time `json:"nothingUntil,omitzero"`
}

// PolicyEffect is the effect of a bucket's policy on one user. What does not apply is zero.
type PolicyEffect struct {
	StaysUntil time.Time `json:"staysUntil,omitzero"` // the end of a member's minimum dwell
	LeavesBy   time.Time `json:"leavesBy,omitzero"`   // the end of a member's maximum dwell

	// Blocked says that the maximum dwell ended and the criteria has held ever since: only an event
	// or trait of the user's own lets them join again.
	Blocked bool `json:"blocked,omitempty"`

	// Unannounced says that a join of the user, who is no member, would not be announced: before
	// AnnouncedFrom or, where that is zero, ever.
	Unannounced   bool      `json:"unannounced,omitempty"`
	AnnouncedFrom time.Time `json:"announcedFrom,omitzero"`
}

// Condition is one condition of a criteria, or a combination of several, with its result.
type Condition struct {
	Words    string      `json:"words"`
	Holds    bool        `json:"holds"`
	Until    time.Time   `json:"until,omitzero"`     // the earliest instant at which time alone could change that; zero if none can
	Evidence *Evidence   `json:"evidence,omitempty"` // of a single condition
	Parts    []Condition `json:"parts,omitempty"`    // of a combination
}

// Evidence holds the facts behind the result of a condition. Text has all of them in words; the
// other fields have them for programs, where they apply.
type Evidence struct {
	Text string `json:"text"`

	Property string `json:"property,omitempty"` // the path of the property that the condition asks about, if it does

	Value     string    `json:"value,omitempty"` // of the property or field, as people write it: "pro" in quotes, missing
	Was       string    `json:"was,omitempty"`   // before it changed, of conditions on that
	ChangedAt time.Time `json:"changedAt,omitzero"`

	Count     *int      `json:"count,omitempty"`     // occurrences in the window, or distinct values
	More      bool      `json:"more,omitempty"`      // there may be more: no more were needed
	Newest    time.Time `json:"newest,omitzero"`     // when the newest of them occurred
	Rank      int       `json:"rank,omitempty"`      // which of them, from the newest, the condition rests on
	Deciding  time.Time `json:"deciding,omitzero"`   // when that one occurred
	LeavesAt  time.Time `json:"leavesAt,omitzero"`   // when it leaves the window; of a sum, when the oldest does
	Unwanted  *Evidence `json:"unwanted,omitempty"`  // the same of what must not have occurred
	Different []string  `json:"different,omitempty"` // what occurrences differ by

	Total string    `json:"total,omitempty"` // of a sum or average, exactly
	At    time.Time `json:"at,omitzero"`     // when the first, or the last, occurred

	Steps int         `json:"steps,omitempty"` // that were taken in a sequence
	Begin time.Time   `json:"begin,omitzero"`  // when that began
	End   time.Time   `json:"end,omitzero"`    // when the last of the steps was taken
	Open  []time.Time `json:"open,omitempty"`  // when chains ended that nothing has followed yet

	Draw *float64 `json:"draw,omitempty"` // the user's number in a sample, from 0 up to 100
}
