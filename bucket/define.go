package bucket

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Definition is a bucket as its author wrote it. [Define] makes one. The zero value is no bucket; bucketgen reports
// it.
type Definition struct {
	def ir.Definition
}

// ID returns the id of the bucket.
func (d Definition) ID() string { return d.def.ID }

// Kind says who decides over the membership of a bucket.
type Kind int

const (
	// Dynamic buckets follow their criteria. It is the default.
	Dynamic Kind = iota
	// Manual buckets have no criteria: users are added and removed by calls of the engine's Add and Remove. Entry
	// policy, MaxDwell, ticks and reactions apply as to any other bucket.
	Manual
)

// Switch is a setting that may be left alone.
type Switch int

const (
	// Derived leaves the setting to bucketgen, which derives it from the criteria. It is the default.
	Derived Switch = iota
	// On overrides what is derived.
	On
	// Off overrides what is derived.
	Off
)

// Spec is what [Define] needs to know of a bucket. Only ID is required, and Criteria for a dynamic bucket.
type Spec struct {
	// ID names the bucket everywhere outside Go: in the database, in transition events, in URLs. Lower-case letters,
	// digits, dashes and underscores, at most 64, beginning and ending with a letter or digit. The name of the
	// generated Go variable is made from it: "power-users" gives PowerUsers.
	ID string

	// Name is what people read. Defaults to the ID.
	Name string

	// Description says in a sentence who is in the bucket and what for. Defaults to none.
	Description string

	// Kind says who decides over membership. Defaults to Dynamic.
	Kind Kind

	// Disabled pauses the bucket: nobody joins or leaves it. Defaults to false.
	Disabled bool

	// Criteria says which users belong. A dynamic bucket needs one, with at least one condition that is not satisfied
	// by merely knowing nothing of a user; a manual bucket has none.
	Criteria Criteria

	// Entry says which joins are announced. Whatever it says, the user becomes a member. Defaults to Always.
	Entry Entry

	// MinDwell is how long a stay lasts at least. A member whose criteria fail earlier stays until then and leaves if
	// the criteria still fail. Defaults to none.
	MinDwell time.Duration

	// MaxDwell is how long a stay lasts at most: then the member leaves, whatever the criteria say, and only an event
	// or property of the user's own lets them join again while the criteria have not failed in between. Not less than
	// MinDwell. Defaults to no limit.
	MaxDwell time.Duration

	// Dwell lists the dwell ticks: events about a stay that lasts. See [After] and [Every]. Defaults to none.
	Dwell []Tick

	// ReconcileJoins Off forbids the clock to let users join; they join only by an event or property of their own.
	// Defaults to Derived, which is On wherever the clock can make the criteria hold.
	ReconcileJoins Switch

	// ReconcileEvery is how often the bucket is re-derived from scratch as a safety net; memberships are exact without
	// it. Defaults to the engine's own cadence.
	ReconcileEvery time.Duration

	// FastExpiry also arms a durable Hatchet timer for the instant at which a new member will leave, where Hatchet is
	// configured. Defaults to false.
	FastExpiry bool

	// TimeBased is accepted for definitions that come from elsewhere and ignored with a warning: whether the clock
	// matters is derived from the criteria.
	TimeBased Switch
}

// Define makes a definition of what the spec says. Mistakes are not reported here but by bucketgen, together with all
// others and with the line of this call.
func Define(spec Spec) Definition {
	d := ir.Definition{
		Pos:            callerOf(1),
		ID:             spec.ID,
		Name:           spec.Name,
		Description:    spec.Description,
		Kind:           ir.Dynamic,
		Disabled:       spec.Disabled,
		Criteria:       spec.Criteria.node,
		EntryLimit:     spec.Entry.limit,
		EntryPeriod:    spec.Entry.period,
		MinDwell:       spec.MinDwell,
		MaxDwell:       spec.MaxDwell,
		TimeBased:      spec.TimeBased.given(),
		ReconcileJoins: spec.ReconcileJoins.given(),
		ReconcileEvery: spec.ReconcileEvery,
		FastExpiry:     spec.FastExpiry,
	}
	if spec.Kind == Manual {
		d.Kind = ir.Manual
	}
	for _, t := range spec.Dwell {
		d.Ticks = append(d.Ticks, t.tick)
	}
	return Definition{d}
}

func (s Switch) given() *bool {
	if s == Derived {
		return nil
	}
	on := s == On
	return &on
}
