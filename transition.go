package bucketgen

import (
	"fmt"
	"strings"
	"time"
)

// Kind is what happened to a stay of a user in a bucket.
type Kind string

// The kinds of transitions. Dwell is the tick of a stay that lasts: no change of membership, but
// announced as one.
const (
	Entered Kind = "entered"
	Left    Kind = "left"
	Dwell   Kind = "dwell"
)

// Source says what made a transition happen.
type Source string

// The sources of transitions.
const (
	SourceEvent     Source = "event"     // an event or trait of the user
	SourceClock     Source = "clock"     // time
	SourceReconcile Source = "reconcile" // a repair, or the restoration of a deleted user
	SourceBackfill  Source = "backfill"  // a new or changed definition
	SourceManual    Source = "manual"    // engine.Engine.Add or Remove
)

// Reason says why a user left.
type Reason string

// The reasons of leaves.
const (
	ReasonCriteria Reason = "criteria" // the criteria fails
	ReasonMaxDwell Reason = "maxDwell" // the stay reached its maximal dwell
	ReasonManual   Reason = "manual"   // engine.Engine.Remove was called
	ReasonRetired  Reason = "retired"  // the bucket was closed
	ReasonExpired  Reason = "expired"  // the anonymous contact had no event for engine.Config.AnonymousAge
	ReasonMerged   Reason = "merged"   // the user was merged into one who is in the bucket, too; it is never announced
)

// Transition is something that happened to a stay of a user in a bucket. Its JSON form is the
// payload by which it is announced to the outside.
type Transition struct {
	BucketID   string `json:"bucketId"`
	BucketName string `json:"bucketName"`
	UserID     string `json:"userId,omitempty"` // empty for a user without a user id

	// AnonymousID and IDs are the id by which a user without a user id goes, as in [Event]: an
	// anonymous id, or an id by its kind, such as email.
	AnonymousID string            `json:"anonymousId,omitempty"`
	IDs         map[string]string `json:"ids,omitempty"`

	UserEmail    string `json:"userEmail,omitempty"`
	Kind         Kind   `json:"transition"`
	Source       Source `json:"source"`
	EntryCount   int    `json:"entryCount"`             // which stay of the user in the bucket it is, from 1
	MembershipID int64  `json:"membershipId,omitempty"` // of the stay; not in results of Ingest
	Reason       Reason `json:"reason,omitempty"`       // of a leave
	Tick         string `json:"tick,omitempty"`         // label of a tick
	DwellCount   int    `json:"dwellCount,omitempty"`   // number of a tick, from 1
	Replayed     bool   `json:"replayed,omitempty"`     // it was given up before, and is delivered anew
	Life         int    `json:"life,omitempty"`         // from 2: the user was erased, and came back; else 0
	EnteredAs    *ID    `json:"enteredAs,omitempty"`    // the id by which the user went when the stay began, if that is another now

	// NameKind is the kind of the id by which the user went when the transition was logged. Empty:
	// user. It is part of the key, and no part of the JSON form.
	NameKind string `json:"-"`

	// Fence is the number of the lease by which it is delivered: greater than that of every earlier
	// lease, of whatever delivery. A target that keeps the greatest it has seen of each user and
	// bucket can refuse what comes from a process that was held up for longer than its lease. 0 if
	// it is not a delivery; it is no part of the JSON form.
	Fence int64 `json:"-"`

	At         time.Time `json:"at"`                   // when it became true
	DecidedAt  time.Time `json:"decidedAt"`            // when the engine noticed
	Suppressed bool      `json:"suppressed,omitempty"` // by the entry policy: it happened, but is not announced
}

// Who returns the id by which the user goes.
func (t Transition) Who() ID { return who(t.UserID, t.AnonymousID, t.IDs) }

// Event returns the name by which the transition is announced: "bucket:entered:power-users". That
// of a notice is "person:merged" or "person:erased".
func (t Transition) Event() string {
	if t.BucketID == "" {
		return "person:" + string(t.Kind)
	}
	parts := []string{"bucket", string(t.Kind), t.BucketID}
	if t.Kind == Dwell {
		parts = append(parts, t.Tick)
	}
	return strings.Join(parts, ":")
}

// Key returns the idempotency key of the transition. It is the same at every delivery, and no other
// transition of the database has it. That of a user without a user id begins "bucket-of:", and
// needs the MembershipID: results of Ingest have none, so Key returns an empty text there. A
// failover to a standby that lacks the last commits loses transitions whose handlers may have been
// called; their keys come again for what happens instead. Where that can be, remember the key
// together with At: two transitions that have both in common are one.
func (t Transition) Key() string {
	switch {
	case t.BucketID == "": // a notice
		return fmt.Sprintf("person:%s:%d", t.Kind, t.MembershipID)
	case t.NameKind != "" && t.MembershipID == 0:
		return ""
	case t.NameKind != "" && t.Kind == Dwell:
		return fmt.Sprintf("bucket-of:%s:%s:%d:dwell:%s:%d", t.NameKind, t.BucketID, t.MembershipID, t.Tick, t.DwellCount)
	case t.NameKind != "":
		return fmt.Sprintf("bucket-of:%s:%s:%d:%s", t.NameKind, t.BucketID, t.MembershipID, t.Kind)
	}
	key := fmt.Sprintf("bucket:%s:%s:%s:%d", t.BucketID, t.UserID, t.Kind, t.EntryCount)
	if t.Kind == Dwell {
		key = fmt.Sprintf("bucket:%s:%s:dwell:%s:%d:%d", t.BucketID, t.UserID, t.Tick, t.EntryCount, t.DwellCount)
	}
	if t.Life > 1 {
		key += fmt.Sprintf(":life-%d", t.Life)
	}
	return key
}
