package bucketgen

import (
	"errors"
	"time"
)

// JobKind is what a job does.
type JobKind string

// The kinds of jobs.
const (
	JobPlan      JobKind = "plan"      // the effect of deploying this program's buckets
	JobPreview   JobKind = "preview"   // who would be in a bucket if they were deployed
	JobBackTest  JobKind = "backtest"  // what buckets would have come to
	JobFunnel    JobKind = "funnel"    // how many users meet which conditions of a bucket
	JobOverlap   JobKind = "overlap"   // which buckets the members of a bucket share
	JobFlows     JobKind = "flows"     // the buckets that users leave before and enter after a stay
	JobDwell     JobKind = "dwell"     // how long stays last
	JobReconcile JobKind = "reconcile" // derive all memberships anew
	JobRetire    JobKind = "retire"    // make all members leave a bucket that is not deployed any more
	JobErase     JobKind = "erase"     // erase persons; engine.People.EraseAll begins it
)

// Writes reports whether jobs of the kind change memberships.
func (k JobKind) Writes() bool { return k == JobReconcile || k == JobRetire || k == JobErase }

// JobState is how far a job is.
type JobState string

// The states of a job. The last three are final.
const (
	JobWaiting   JobState = "waiting"
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled"
)

// ErrUnknownJob says that there is no job with a number: there never was, or it is too long ago.
var ErrUnknownJob = errors.New("there is no such job")

// JobParams say what a job is about. Each kind takes some of them.
type JobParams struct {
	// BucketID is the bucket of preview, funnel, overlap, flows, dwell and retire.
	BucketID string `json:"bucketId,omitempty"`

	// With are the buckets that a back-test reports, by default all, or up to five whose
	// combinations with the bucket an overlap counts.
	With []string `json:"with,omitempty"`

	// Emit is what a planned deployment would announce. Defaults to EmitLeaves.
	Emit Emit `json:"emit,omitempty"`

	// Sample is the part of the users that plan, preview, funnel and overlap evaluate. Defaults to
	// 1: all.
	Sample float64 `json:"sample,omitempty"`

	// Users is how many users each list of plan, preview and funnel names, up to 1,000. Defaults to
	// 100.
	Users int `json:"users,omitempty"`

	// Against is the id of the bucket that a back-test compares with. Defaults to none.
	Against string `json:"against,omitempty"`

	// Recorded says that a back-test compares with what happened.
	Recorded bool `json:"recorded,omitempty"`

	// Since is the beginning of what flows and dwell are about. Defaults to 7 days before Until for
	// flows, and to all time for dwell.
	Since time.Time `json:"since,omitzero"`

	// Until is the end of what flows, dwell and back-tests are about. Defaults to now.
	Until time.Time `json:"until,omitzero"`

	// WithinSeconds is the longest time between two stays that flows connect. Defaults to a day.
	WithinSeconds int64 `json:"withinSeconds,omitempty"`

	// Suppress, Ticket and Rate are those of an erasure, Count is how many ids it was given, and
	// Token names their list.
	Suppress bool   `json:"suppress,omitempty"`
	Ticket   string `json:"ticket,omitempty"`
	Rate     int    `json:"rate,omitempty"`
	Count    int    `json:"count,omitempty"`
	Token    string `json:"token,omitempty"`
}

// Job is long work that a process does in the background.
type Job struct {
	ID         int64     `json:"id"`
	Kind       JobKind   `json:"kind"`
	Params     JobParams `json:"params"`
	By         string    `json:"by"` // the name of the person who asked
	State      JobState  `json:"state"`
	CreatedAt  time.Time `json:"createdAt"`
	StartedAt  time.Time `json:"startedAt,omitzero"`  // of the present attempt
	FinishedAt time.Time `json:"finishedAt,omitzero"` // zero: it is not finished
	Attempts   int       `json:"attempts"`            // more than 1: processes that did it died
	Cancelling bool      `json:"cancelling,omitempty"`
	Done       int64     `json:"done"`  // users that were evaluated, roughly
	Total      int64     `json:"total"` // 0: not known
	Error      string    `json:"error,omitempty"`

	// One of these is the result of a job that is done.
	Plan      *Plan           `json:"plan,omitempty"`
	Preview   *Preview        `json:"preview,omitempty"`
	BackTest  *BackTestResult `json:"backTest,omitempty"`
	Funnel    *Funnel         `json:"funnel,omitempty"`
	Overlap   *Overlap        `json:"overlap,omitempty"`
	Flows     *Flows          `json:"flows,omitempty"`
	Dwell     *DwellTimes     `json:"dwell,omitempty"`
	Reconcile *Reconciliation `json:"reconcile,omitempty"`
	Retire    *Retirement     `json:"retire,omitempty"`
	Erase     *BulkErasure    `json:"erase,omitempty"`
}

// Finished reports whether the job has ended, in whatever way.
func (j *Job) Finished() bool { return !j.FinishedAt.IsZero() }

// Funnel is how many users meet which conditions of a bucket.
type Funnel struct {
	BucketID string      `json:"bucketId"`
	At       time.Time   `json:"at"`
	Users    int64       `json:"users"`
	Looked   int64       `json:"looked"` // how many of them were evaluated
	Criteria *FunnelPart `json:"criteria,omitempty"`
}

// FunnelPart is how many users meet a condition, or a combination of conditions.
type FunnelPart struct {
	Node  int      `json:"node"` // the place of the condition in the criteria
	Words string   `json:"words"`
	Count Estimate `json:"count"` // users who meet it

	// Remaining is how many users meet it and all parts before it, for a part of "all of".
	Remaining *Estimate `json:"remaining,omitempty"`

	// Only is how many users meet all parts but this, for a part of the "all of" that is the whole
	// criteria. The list "only:<node>" of the job names some of them.
	Only *Estimate `json:"only,omitempty"`

	Parts []FunnelPart `json:"parts,omitempty"` // of a combination
}

// Overlap is which buckets the members of a bucket share.
type Overlap struct {
	BucketID string          `json:"bucketId"`
	At       time.Time       `json:"at"`
	Members  Estimate        `json:"members"`
	Others   []OverlapBucket `json:"others"` // the largest share first, up to 20
	Sets     []OverlapSet    `json:"sets"`   // combinations with the buckets that were asked for, the largest first
}

// OverlapBucket is a bucket that members of another share.
type OverlapBucket struct {
	BucketID string   `json:"bucketId"`
	Members  Estimate `json:"members"`
	Both     Estimate `json:"both"`
	Share    float64  `json:"share"` // of the members of the bucket that was asked for, from 0 to 1
}

// OverlapSet is the users who are in exactly some of several buckets.
type OverlapSet struct {
	BucketIDs []string `json:"bucketIds"`
	Users     Estimate `json:"users"`
}

// Flows is which buckets users leave before they enter a bucket, and enter after they leave it.
type Flows struct {
	BucketID      string       `json:"bucketId"`
	Since         time.Time    `json:"since"`
	Until         time.Time    `json:"until"`
	WithinSeconds int64        `json:"withinSeconds"`
	Entered       int64        `json:"entered"` // stays that began
	Left          int64        `json:"left"`    // stays that ended
	From          []FlowBucket `json:"from"`    // the most stays first, up to 50
	To            []FlowBucket `json:"to"`
}

// FlowBucket is a bucket at the other end of a flow.
type FlowBucket struct {
	BucketID string `json:"bucketId"`
	Stays    int64  `json:"stays"`
}

// DwellTimes is how long the stays in a bucket lasted that ended in a time.
type DwellTimes struct {
	BucketID      string     `json:"bucketId"`
	Since         time.Time  `json:"since,omitzero"`
	Until         time.Time  `json:"until"`
	Ended         int64      `json:"ended"`
	MeanSeconds   float64    `json:"meanSeconds"`
	MedianSeconds float64    `json:"medianSeconds"`
	P90Seconds    float64    `json:"p90Seconds"`
	Histogram     []DwellBin `json:"histogram"` // all bins, the shortest stays first
}

// DwellBin is how many stays lasted for at least a time, and for less than another.
type DwellBin struct {
	FromSeconds int64 `json:"fromSeconds"`
	ToSeconds   int64 `json:"toSeconds,omitempty"` // 0: any longer time
	Stays       int64 `json:"stays"`
}

// Retirement is how many users left a bucket that is not deployed any more.
type Retirement struct {
	BucketID string `json:"bucketId"`
	Left     int64  `json:"left"`
	Members  int64  `json:"members"` // when it began
}
