package bucketgen

import (
	"slices"
	"time"
)

// Emit says what is announced of the joins and leaves that follow from a deployment. Whatever is
// announced, all of them happen and are logged.
type Emit string

// What is announced.
const (
	EmitSilent Emit = "silent" // nothing
	EmitLeaves Emit = "leaves" // leaves: users who matched all along are no news, users who are no longer in are
	EmitAll    Emit = "all"    // joins and leaves
)

// PlanOptions say how to plan.
type PlanOptions struct {
	// Emit is what would be announced. Defaults to EmitLeaves.
	Emit Emit

	// Sample is the part of the users to evaluate, greater than 0 and at most 1. The rest is
	// estimated from them. Defaults to 1: all of them.
	Sample float64

	// Users is how many joining, and how many leaving users are named for each bucket. Defaults to
	// 5; negative for none.
	Users int

	// Progress is called now and then, by one goroutine at a time, with how many users were
	// evaluated, and of how many. Defaults to nothing.
	Progress func(looked, users int64)
}

// Status is how a bucket of a registry differs from what is deployed.
type Status string

// How buckets differ.
const (
	StatusNew       Status = "new"
	StatusChanged   Status = "changed"
	StatusUnchanged Status = "unchanged"
	StatusRemoved   Status = "removed" // it is deployed, and the registry does not have it
)

// Plan is the effect of a deployment.
type Plan struct {
	Deployed string    `json:"deployed"` // the fingerprint of what is; empty: nothing was ever deployed
	Compiled string    `json:"compiled"` // that of what would be
	Emit     Emit      `json:"emit"`
	At       time.Time `json:"at"`
	Users    int64     `json:"users"`
	Looked   int64     `json:"looked"` // how many of them were evaluated

	Buckets []BucketPlan `json:"buckets"` // by their ids
}

// Changes reports whether a deployment would change anything.
func (p *Plan) Changes() bool {
	return p.Deployed != p.Compiled || slices.ContainsFunc(p.Buckets, func(b BucketPlan) bool { return b.Status != StatusUnchanged })
}

// BucketPlan is the effect of a deployment on a bucket.
type BucketPlan struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Status Status   `json:"status"`
	Paused bool     `json:"paused,omitempty"` // memberships stay as they are until the bucket is resumed
	Words  []string `json:"words"`            // its criteria and its policy, as they would be; of one that is removed, as they are
	Was    []string `json:"was,omitempty"`    // as they are, if they would change

	Members int64    `json:"members"` // now
	Joins   Estimate `json:"joins"`
	Leaves  Estimate `json:"leaves"`
	Held    Estimate `json:"held"` // would leave, but stay for the minimum dwell

	Joining []string `json:"joining,omitempty"` // some of them
	Leaving []string `json:"leaving,omitempty"`

	Reactions []Reaction `json:"reactions,omitempty"`
}

// Estimate is a number of users. Unless all of them were evaluated, it is within PlusMinus of the
// truth, nineteen times out of twenty.
type Estimate struct {
	Count     int64 `json:"count"`
	PlusMinus int64 `json:"plusMinus,omitempty"`
}

// Reaction is what a subscription would receive of a bucket's transitions.
type Reaction struct {
	Name      string   `json:"name"` // of the subscription
	Kinds     []string `json:"kinds"`
	Emissions Estimate `json:"emissions"`
}

// PreviewOptions say how to preview.
type PreviewOptions struct {
	// Sample is the part of the users to evaluate, greater than 0 and at most 1. Defaults to 1: all
	// of them.
	Sample float64

	// Users is how many of those who would be in the bucket are named. Defaults to 5; negative for
	// none.
	Users int

	// Progress is called now and then with how many users were evaluated, and of how many. Defaults
	// to nothing.
	Progress func(looked, users int64)
}

// Preview is who would be in a bucket if the buckets of a program were deployed now.
type Preview struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Status  Status    `json:"status"` // how it differs from what is deployed
	Words   []string  `json:"words"`  // its criteria and its policy
	At      time.Time `json:"at"`
	Users   int64     `json:"users"`
	Looked  int64     `json:"looked"` // how many of them were evaluated
	Now     int64     `json:"now"`    // members, by what is deployed
	Members Estimate  `json:"members"`
	Some    []string  `json:"some,omitempty"` // of the members
}
