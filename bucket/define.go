package bucket

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Definition is a bucket as its author wrote it. [Define] makes one. The zero value is no bucket;
// bucketgen reports it.
type Definition struct {
	def ir.Definition
}

// ID returns the id of the bucket.
func (d Definition) ID() string { return d.def.ID }

// Kind says what decides over the membership of a bucket.
type Kind int

const (
	// Dynamic buckets follow their criteria. It is the default.
	Dynamic Kind = iota
	// Manual buckets have no criteria: calls of the engine's Add and Remove change their members.
	// Entry policy, MaxDwell, ticks and reactions apply as to any other bucket.
	Manual
)

// Presence says whether anonymous contacts may be in a bucket: those that have nothing but
// anonymous ids.
type Presence int

const (
	// Exclude keeps anonymous contacts out. They cost no evaluation and count nowhere. It is the
	// default.
	Exclude Presence = iota
	// Include lets anonymous contacts join like users. A stay goes on when the contact signs up.
	Include
)

// Switch is a setting that bucketgen can derive.
type Switch int

const (
	// Derived leaves the setting to bucketgen, which derives it from the criteria. It is the
	// default.
	Derived Switch = iota
	// On overrides what is derived.
	On
	// Off overrides what is derived.
	Off
)

// Spec holds the parameters of [Define]. Only ID is required, and Criteria for a dynamic bucket.
type Spec struct {
	// ID names the bucket everywhere outside Go: in the database, in transition events, in URLs.
	// Lower-case letters, digits, dashes and underscores, at most 64, beginning and ending with a
	// letter or digit. The name of the generated Go variable is made from it: "power-users" gives
	// PowerUsers.
	ID string

	// Name is the bucket's name for people. Defaults to the ID.
	Name string

	// Description says in a sentence which users are in the bucket and why. Defaults to none.
	Description string

	// Kind says what decides over membership. Defaults to Dynamic.
	Kind Kind

	// Anonymous says whether anonymous contacts may be in the bucket. What they did counts once
	// they sign up, in either case. Defaults to Exclude.
	Anonymous Presence

	// Disabled pauses the bucket: users neither join nor leave it. Defaults to false.
	Disabled bool

	// Criteria defines the members. A dynamic bucket needs one, with at least one condition that
	// does not hold for a user without any facts; a manual bucket has none.
	Criteria Criteria

	// Entry selects the joins that are announced. The user becomes a member in any case. Defaults
	// to Always.
	Entry Entry

	// MinDwell is how long a stay lasts at least. A member whose criteria fail earlier stays until
	// then and leaves if the criteria still fail. Defaults to none.
	MinDwell time.Duration

	// MaxDwell is how long a stay lasts at most. Then the member leaves, even if the criteria hold.
	// Until the criteria have failed once, only an event or property of the user's own lets them
	// join again. Not less than MinDwell. Defaults to no limit.
	MaxDwell time.Duration

	// Dwell lists the dwell ticks: announcements during a stay. See [After] and [Every]. Defaults
	// to none.
	Dwell []Tick

	// ReconcileJoins Off keeps users from joining by the clock; they join only by an event or
	// property of their own. Defaults to Derived, which is On wherever the clock can make the
	// criteria hold.
	ReconcileJoins Switch

	// ReconcileEvery is how often the bucket is recomputed as a safety net; memberships are exact
	// without it. Defaults to the engine's own interval.
	ReconcileEvery time.Duration

	// FastExpiry also starts a durable Hatchet timer for the instant at which a new member will
	// leave, if Hatchet is configured. Defaults to false.
	FastExpiry bool

	// TimeBased is accepted in definitions that come from elsewhere and ignored with a warning:
	// bucketgen derives from the criteria whether the clock matters.
	TimeBased Switch
}

// Define makes a definition from the spec. bucketgen reports mistakes, not Define: all together,
// each with the line of its call.
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
		Anonymous:      spec.Anonymous == Include,
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
