package bucketgen

import "time"

// TransitionQuery says which transitions of a bucket to list. The zero value lists the newest 100.
type TransitionQuery struct {
	Kind     Kind      // Kind limits the list to transitions of a kind. Defaults to all.
	Source   Source    // Source limits the list to transitions with a source. Defaults to all.
	Reason   Reason    // Reason limits the list to leaves for a reason. Defaults to all transitions.
	From, To time.Time // At is from From on and before To. Default to all time.

	// Oldest lists the oldest first. Defaults to the newest first.
	Oldest bool

	// After is the last transition of the page before. Defaults to nil, which begins.
	After *TimeKey

	// Size is how many transitions to return at most. Defaults to 100; more than 1000 are 1000.
	Size int
}

// TimeKey is the place of an item in a list that is ordered by time.
type TimeKey struct {
	At time.Time `json:"at"`
	ID int64     `json:"id"`
}

// TransitionPage is a page of transitions.
type TransitionPage struct {
	Transitions []Transition
	Next        *TimeKey // Next is the After of the next page; nil on the last one
}

// MemberQuery says which current members of a bucket to list. The zero value lists the first 100 in
// the order in which the users were created.
type MemberQuery struct {
	Text                       string    // Text is the id or the e-mail address of the member. Defaults to all.
	Source                     Source    // Source limits the list to members who entered by it. Defaults to all.
	EnteredFrom, EnteredBefore time.Time // Stays began from EnteredFrom on and before EnteredBefore. Default to all.

	// Newest lists those first who entered last. Defaults to the order in which users were created.
	Newest bool

	// After is the last member of the page before. Its At counts only with Newest. Defaults to nil.
	After *TimeKey

	// Size is how many members to return at most. Defaults to 100; more than 1000 are 1000.
	Size int
}

// MemberPage is a page of members.
type MemberPage struct {
	Members []Member
	Next    *TimeKey // Next is the After of the next page; nil on the last one
	AsOf    time.Time
}
