package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry"
)

// Kind is what happened to a stay of a user in a bucket.
type Kind = decide.TransitionKind

// The kinds of transitions. Dwell is the tick of a stay that lasts.
const (
	Entered = decide.Entered
	Left    = decide.Left
	Dwell   = decide.Dwell
)

// Source says what made a transition happen.
type Source = decide.Source

// The sources of transitions.
const (
	SourceEvent     = decide.SourceEvent     // an event or trait of the user
	SourceClock     = decide.SourceClock     // time
	SourceReconcile = decide.SourceReconcile // a repair, or the restoration of a deleted user
	SourceBackfill  = decide.SourceBackfill  // a new or changed definition
	SourceManual    = decide.SourceManual    // Add or Remove
)

// Reason says why a user left.
type Reason = decide.Reason

// The reasons of leaves.
const (
	ReasonCriteria = decide.ReasonCriteria // the criteria fails
	ReasonMaxDwell = decide.ReasonMaxDwell // the stay lasted as long as it may
	ReasonManual   = decide.ReasonManual   // Remove was called
	ReasonRetired  = decide.ReasonRetired  // the bucket was closed
	ReasonMerged   = decide.ReasonMerged   // the user was merged into one who is in the bucket, too; it is never announced
)

// Transition is something that happened to a stay of a user in a bucket. Its JSON form is the payload by which it is
// announced to the outside.
type Transition struct {
	BucketID     string `json:"bucketId"`
	BucketName   string `json:"bucketName"`
	UserID       string `json:"userId"`
	UserEmail    string `json:"userEmail,omitempty"`
	Kind         Kind   `json:"transition"`
	Source       Source `json:"source"`
	EntryCount   int    `json:"entryCount"`             // which stay of the user in the bucket it is, from 1
	MembershipID int64  `json:"membershipId,omitempty"` // of the stay; not in results of Ingest
	Reason       Reason `json:"reason,omitempty"`       // of a leave
	Tick         string `json:"tick,omitempty"`         // label of a tick
	DwellCount   int    `json:"dwellCount,omitempty"`   // ordinal of a tick, from 1
	Replayed     bool   `json:"replayed,omitempty"`     // it was given up before, and is delivered anew

	// Fence is the number of the lease by which it is delivered: greater than that of every lease before, of whatever delivery.
	// A target that keeps the greatest it has seen of each user and bucket can refuse what comes from a process that was held up
	// for longer than its lease. 0 if it is not a delivery; it is no part of the JSON form.
	Fence int64 `json:"-"`

	At         time.Time `json:"at"`                   // when it became true
	DecidedAt  time.Time `json:"decidedAt"`            // when the engine noticed
	Suppressed bool      `json:"suppressed,omitempty"` // by the entry policy: it happened, but is not announced
}

// Event returns the name by which the transition is announced: "bucket:entered:power-users".
func (t Transition) Event() string {
	parts := []string{"bucket", string(t.Kind), t.BucketID}
	if t.Kind == Dwell {
		parts = append(parts, t.Tick)
	}
	return strings.Join(parts, ":")
}

// Key returns the idempotency key of the transition. It is the same at every delivery, and no other transition of the database
// has it. A failover to a standby that lacks the last commits loses transitions whose handlers may have been called; their keys
// come again for what happens instead. Where that can be, remember the key together with At: two transitions that have both in
// common are one.
func (t Transition) Key() string {
	if t.Kind == Dwell {
		return fmt.Sprintf("bucket:%s:%s:dwell:%s:%d:%d", t.BucketID, t.UserID, t.Tick, t.EntryCount, t.DwellCount)
	}
	return fmt.Sprintf("bucket:%s:%s:%s:%d", t.BucketID, t.UserID, t.Kind, t.EntryCount)
}

func (e *Engine) transitions(user string, made []decide.Transition) []Transition {
	return transitions(e.registry, user, made)
}

func transitions(r *registry.Registry, user string, made []decide.Transition) []Transition {
	if len(made) == 0 {
		return nil
	}
	out := make([]Transition, len(made))
	for i, t := range made {
		row := &r.Buckets[t.Bucket]
		out[i] = Transition{
			BucketID: row.ID, BucketName: row.Name, UserID: user, Kind: t.Kind, Source: t.Source, EntryCount: t.Epoch,
			Reason: t.Reason, Tick: t.Label, DwellCount: t.Ordinal, At: t.At.Time(), DecidedAt: t.DecidedAt.Time(),
			Suppressed: t.Suppressed,
		}
	}
	return out
}

// logged returns a transition as it is in the log, unless it is of a bucket that the registry does not have.
func (e *Engine) logged(row db.BucketgenTransition, userID string, email *string) (Transition, bool) {
	b, known := e.store.Index(row.BucketNo)
	if !known {
		return Transition{}, false
	}
	return recorded(row, e.registry.Buckets[b].ID, e.registry.Buckets[b].Name, userID, email), true
}

// recorded returns a transition as it is in the log, of whichever bucket.
func recorded(row db.BucketgenTransition, bucketID, bucketName, userID string, email *string) Transition {
	return Transition{
		BucketID: bucketID, BucketName: bucketName, UserID: userID, UserEmail: deref(email),
		Kind: Kind(row.Kind), Source: Source(row.Source), EntryCount: int(row.Epoch), MembershipID: row.MembershipID,
		Reason: Reason(deref(row.Reason)), Tick: row.Label, DwellCount: int(row.Ordinal), At: row.At.Time.UTC(),
		DecidedAt: row.DecidedAt.Time.UTC(), Suppressed: row.Suppressed,
	}
}
