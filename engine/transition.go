package engine

import (
	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Transition is something that happened to a stay of a user in a bucket. Its JSON form is the
// payload by which it is announced to the outside.
type Transition = bucketgen.Transition

// Kind is what happened to a stay of a user in a bucket.
type Kind = bucketgen.Kind

// The kinds of transitions. Dwell is the tick of a stay that lasts.
const (
	Entered = bucketgen.Entered
	Left    = bucketgen.Left
	Dwell   = bucketgen.Dwell
)

// Notice is something that happened to the ids of a person, and to no stay in a bucket.
type Notice = bucketgen.Notice

// The kinds of notices. A [Subscription] and an [Engine.Feed] have to ask for them.
const (
	Merged = bucketgen.Merged // a contact became another, or got an id of a higher rank
	Erased = bucketgen.Erased // a person was erased
)

// Source says what made a transition happen.
type Source = bucketgen.Source

// The sources of transitions.
const (
	SourceEvent     = bucketgen.SourceEvent     // an event or trait of the user
	SourceClock     = bucketgen.SourceClock     // time
	SourceReconcile = bucketgen.SourceReconcile // a repair, or the restoration of a deleted user
	SourceBackfill  = bucketgen.SourceBackfill  // a new or changed definition
	SourceManual    = bucketgen.SourceManual    // Add or Remove
)

// Reason says why a user left.
type Reason = bucketgen.Reason

// The reasons of leaves.
const (
	ReasonCriteria = bucketgen.ReasonCriteria // the criteria fails
	ReasonMaxDwell = bucketgen.ReasonMaxDwell // the stay reached its maximal dwell
	ReasonManual   = bucketgen.ReasonManual   // Remove was called
	ReasonRetired  = bucketgen.ReasonRetired  // the bucket was closed
	ReasonExpired  = bucketgen.ReasonExpired  // the anonymous contact had no event for Config.AnonymousAge
	ReasonMerged   = bucketgen.ReasonMerged   // the user was merged into one who is in the bucket, too; it is never announced
)

// Member is a user in a bucket.
type Member = bucketgen.Member

// Stay is one stay of a user in a bucket.
type Stay = bucketgen.Stay

func (e *Engine) transitions(user string, made []decide.Transition) []Transition {
	return transact.Transitions(e.registry, user, made)
}

// logged returns a transition as it is in the log, unless it is of a bucket that the registry does
// not have.
func (e *Engine) logged(row db.BucketgenTransition, userID string, email *string) (Transition, bool) {
	b, known := e.store.Index(row.BucketNo)
	if !known {
		return Transition{}, false
	}
	return store.Recorded(row, e.registry.Buckets[b].ID, e.registry.Buckets[b].Name, userID, email), true
}
