package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

const format = "hogsend-bucket-vector/1"

// Vector is a recorded scenario.
type Vector struct {
	Format string `json:"format"`
	ID     string `json:"id"`
	Title  string `json:"title"`
	Clock  struct {
		Start time.Time `json:"start"`
	} `json:"clock"`
	Buckets        []Bucket       `json:"buckets"`
	DwellReactions []Reaction     `json:"dwellReactions"`
	Registration   []Registration `json:"registration"`
	Steps          []Action       `json:"steps"`
	Expected       struct {
		Transitions []Transition `json:"transitions"`
		Memberships []Membership `json:"memberships"`
	} `json:"expected"`
}

// Bucket is a definition as the peer's users write it.
type Bucket struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Enabled        *bool           `json:"enabled"`
	Kind           string          `json:"kind"`
	Criteria       json.RawMessage `json:"criteria"`
	EntryLimit     string          `json:"entryLimit"`
	EntryPeriod    json.RawMessage `json:"entryPeriod"`
	MinDwell       json.RawMessage `json:"minDwell"`
	MaxDwell       json.RawMessage `json:"maxDwell"`
	TimeBased      *bool           `json:"timeBased"`
	ReconcileJoins *bool           `json:"reconcileJoins"`
	FastExpiry     bool            `json:"fastExpiry"`
}

// Reaction is what listens to the dwell ticks of a bucket.
type Reaction struct {
	Bucket  string `json:"bucket"`
	AfterMs int64  `json:"afterMs"`
	EveryMs int64  `json:"everyMs"`
}

// Registration says whether a definition was accepted.
type Registration struct {
	Bucket   string `json:"bucket"`
	Accepted bool   `json:"accepted"`
}

// Action is an operation at an instant, with what it was seen to do.
type Action struct {
	Op                string          `json:"op"`
	At                time.Time       `json:"at"`
	User              string          `json:"user"`
	Email             string          `json:"email"`
	AnonymousID       string          `json:"anonymousId"`
	Name              string          `json:"name"`
	Properties        json.RawMessage `json:"properties"`
	ContactProperties json.RawMessage `json:"contactProperties"`
	IdempotencyKey    string          `json:"idempotencyKey"`
	OccurredAt        time.Time       `json:"occurredAt"`
	AllowCreate       *bool           `json:"allowCreate"`
	Bucket            string          `json:"bucket"`
	Buckets           []Bucket        `json:"buckets"` // of a redefine: all that there are from then on
	Mode              string          `json:"mode"`
	Prefix            string          `json:"prefix"`
	Observed          Observed        `json:"observed"`
}

// Observed is what a step was seen to do.
type Observed struct {
	Stored       *bool          `json:"stored"`
	UserKey      string         `json:"userKey"`
	Error        string         `json:"error"`
	Registration []Registration `json:"registration"`
	Transitions  []Transition   `json:"transitions"`
}

// Transition is a transition that was emitted.
type Transition struct {
	Step       int    `json:"step"`
	Bucket     string `json:"bucket"`
	User       string `json:"user"`
	Kind       string `json:"kind"`
	EntryCount int    `json:"epoch"`
	Source     string `json:"source"`
	Reason     string `json:"reason"`
	DwellCount int    `json:"dwellCount"`
}

// Membership is a row of the peer's final table.
type Membership struct {
	Bucket     string     `json:"bucket"`
	User       string     `json:"user"`
	Status     string     `json:"status"`
	EntryCount int        `json:"entryCount"`
	Source     string     `json:"source"`
	EnteredAt  time.Time  `json:"enteredAt"`
	LeftAt     *time.Time `json:"leftAt"`
}

// Read reads a scenario.
func Read(file string) (*Vector, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var v Vector
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if v.Format != format {
		return nil, fmt.Errorf("read %s: its format is %q, not %q", file, v.Format, format)
	}
	return &v, nil
}

// Needs returns what a scenario needs that is not built, or nothing.
func (v *Vector) Needs() []string {
	var needs []string
	for i := range v.Steps {
		switch op := v.Steps[i].Op; op {
		case "event", "contact_update", "contact_delete", "reconcile", "fail_pushes", "backfill", "redefine", "admin_disable", "fire_timers":
		default:
			if !slices.Contains(needs, op) {
				needs = append(needs, op)
			}
		}
	}
	return needs
}
