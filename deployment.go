package bucketgen

import (
	"errors"
	"time"
)

// Deployment is a change of what the engines of a database do, and how far users have followed it.
type Deployment struct {
	No          int       `json:"no"`
	Kind        string    `json:"kind"` // deploy, pause, resume
	Fingerprint string    `json:"fingerprint"`
	Emit        Emit      `json:"emit"`
	At          time.Time `json:"at"`
	Rate        int       `json:"rate,omitempty"`

	Users    int64 `json:"users"`    // there were at that time
	Followed int64 `json:"followed"` // have followed since, roughly: the batch of a process that died is not counted
	Joined   int64 `json:"joined"`
	Left     int64 `json:"left"`

	FinishedAt time.Time `json:"finishedAt,omitzero"` // zero: some users have still to follow
}

// Finished reports whether all users have followed.
func (d *Deployment) Finished() bool { return !d.FinishedAt.IsZero() }

// Reconciliation is a derivation of all memberships anew.
type Reconciliation struct {
	No         int       `json:"no"`
	StartedAt  time.Time `json:"startedAt"`
	Users      int64     `json:"users"`               // there were, at its beginning
	Checked    int64     `json:"checked"`             // users
	Repaired   int64     `json:"repaired"`            // memberships and due instants that were wrong
	FinishedAt time.Time `json:"finishedAt,omitzero"` // zero: it is unfinished
}

// ErrUnknownDeployment says that there is no deployment of a number.
var ErrUnknownDeployment = errors.New("there is no such deployment")
