package decide

import (
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry/table"
)

// cause says why a round evaluates buckets, and so what may follow from it. The functions below
// make every cause that there is.
type cause struct {
	source bucketgen.Source

	ofUser     bool                // the user did something: also join a user who is blocked
	timePasses bool                // no event: join no user where ReconcileJoins is off
	clock      bool                // also apply max dwell and ticks
	rollout    []table.BucketIndex // if set, clock applies to these buckets only
	missedUpTo table.Instant       // ticks due by then were missed: send the last only; Unset: none was

	skipTicks    bool // skip the ticks that are due
	anchor       bool // count ticks of new stays from when the criteria began to hold, if known
	silentJoins  bool // announce no joins
	silentLeaves bool // announce no leaves
}

// byEvent is an event or trait of the user's own. Only that joins a user who is blocked. What the
// clock does at the same instant comes later.
func byEvent() cause {
	return cause{source: bucketgen.SourceEvent, ofUser: true, missedUpTo: table.Unset}
}

// byClock is a due instant. It also ends stays by max dwell and sends ticks. Of the ticks that a
// real clock missed it sends the last; in virtual time missedUpTo is Unset, and none is missed.
func byClock(missedUpTo table.Instant) cause {
	return cause{source: bucketgen.SourceClock, timePasses: true, clock: true, missedUpTo: missedUpTo}
}

// byAdmin is a call of Add, Remove or Retire, for the buckets that ask about the one that it
// changes.
func byAdmin() cause {
	return cause{source: bucketgen.SourceManual, missedUpTo: table.Unset}
}

// byReconcile derives memberships anew. It does what the clock does.
func byReconcile() cause {
	return cause{source: bucketgen.SourceReconcile, timePasses: true, clock: true, missedUpTo: table.Unset}
}

// byRollout is a change of definitions. It also does what the clock does, to the buckets that
// changed but not to those that depend on them. New or changed buckets skip the ticks that were due
// before, and count later ones from the historical instant. Resumed buckets send the last tick that
// was due.
func byRollout(step *Rollout, buckets []table.BucketIndex) cause {
	return cause{
		source: bucketgen.SourceBackfill, clock: true, rollout: buckets, missedUpTo: table.Unset,
		skipTicks: !step.Resumed, anchor: !step.Resumed,
		silentJoins: !step.Joins, silentLeaves: step.Silent,
	}
}

// byMerge ends the stays of a user who is merged into another. Leaves are not announced, because
// the other user goes on.
func byMerge() cause {
	return cause{source: bucketgen.SourceEvent, missedUpTo: table.Unset, silentLeaves: true}
}

// appliesClock reports whether a round applies max dwell and ticks to a bucket.
func (c *cause) appliesClock(b table.BucketIndex) bool {
	return c.clock && (c.rollout == nil || slices.Contains(c.rollout, b))
}
