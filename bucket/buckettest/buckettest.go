// Package buckettest runs buckets in memory, on a clock that only tests move, so that a host can
// test its definitions in milliseconds and without a database. It is no imitation: the engine's own
// code decides memberships.
//
//	func TestWentDormant(t *testing.T) {
//		sim := buckettest.New(t, gen.Registry)
//		sim.Ingest(gen.AppActiveEvent{}.By("ada"))
//		sim.Advance(30 * bucket.Day)
//		sim.RequireMember(gen.WentDormant, "ada")
//	}
package buckettest

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // as in the engine

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Sim is a world of users and buckets, with a clock of its own. A call that is wrong, and a
// requirement that is not met, end the test. It is for one goroutine.
type Sim struct {
	t        testing.TB
	handle   *registry.Registry
	registry *table.Registry
	world    *simulate.Simulator
	limits   event.Limits
}

// New returns a world at 2026-01-01T00:00:00Z, without users.
func New(t testing.TB, r *registry.Registry) *Sim {
	t.Helper()
	return NewAt(t, r, time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
}

// NewAt returns a world at a time, without users.
func NewAt(t testing.TB, r *registry.Registry, start time.Time) *Sim {
	t.Helper()
	if r == nil {
		t.Fatal("buckettest: the registry is nil; pass gen.Registry")
	}
	limits := event.Limits{}.WithDefaults()
	return &Sim{t: t, handle: r, registry: r.Tables(), world: simulate.New(r.Tables(), table.At(start), limits.User), limits: limits}
}

// Now returns the time of the world.
func (s *Sim) Now() time.Time { return s.world.Now().Time() }

// Advance moves the clock forward. What is due on the way happens at its own instant.
func (s *Sim) Advance(d time.Duration) { s.AdvanceTo(s.Now().Add(d)) }

// AdvanceTo moves the clock forward to t, which must not be in the past.
func (s *Sim) AdvanceTo(t time.Time) {
	s.t.Helper()
	if t.Before(s.Now()) {
		s.t.Fatalf("buckettest: it is %s already, time does not go back to %s", s.Now(), t)
	}
	s.world.AdvanceTo(table.At(t))
}

// Event is an event, as engine.Event is. The methods of generated types, like gen.AppActiveEvent,
// return one.
type Event = bucketgen.Event

// Track ingests an event that happens now, by its name. Properties may be nil. An event that
// definitions declare has a generated type, by which a misspelt name or field does not compile:
// Ingest takes that.
func (s *Sim) Track(userID, name string, properties map[string]any) {
	s.t.Helper()
	s.Ingest(Event{UserID: userID, Name: name, Properties: properties})
}

// Identify sets traits of a user now.
func (s *Sim) Identify(userID string, traits map[string]any) {
	s.t.Helper()
	s.Ingest(Event{UserID: userID, Traits: traits})
}

// Ingest ingests an event by the rules of the engine and the default limits of engine.Config:
//
//	sim.Ingest(gen.AppActiveEvent{}.By("ada"))
func (s *Sim) Ingest(ev Event) {
	s.t.Helper()
	ids, err := s.limits.IDs.Read(&ev)
	if err == nil {
		var valid decide.Event
		if valid, err = event.Validate(s.registry, &ev, s.Now(), s.limits); err == nil {
			err = event.Refused(s.world.IngestAs(ids.Names(), !ev.Untrusted, valid).Refused)
		}
	}
	if err != nil {
		s.t.Fatalf("buckettest: the event is refused: %v", err)
	}
}

// Add adds a user to a manual bucket.
func (s *Sim) Add(bucket registry.ManualRef, userID string) {
	s.t.Helper()
	if err := s.world.Add(s.index(bucket), userID); err != nil {
		s.t.Fatalf("buckettest: add to %s: %v", bucket.ID(), err)
	}
}

// Remove removes a user from a manual bucket.
func (s *Sim) Remove(bucket registry.ManualRef, userID string) {
	s.t.Helper()
	if err := s.world.Remove(s.index(bucket), userID); err != nil {
		s.t.Fatalf("buckettest: remove from %s: %v", bucket.ID(), err)
	}
}

// Delete hides a user, like Delete of the engine.
func (s *Sim) Delete(userID string) { s.world.Delete(userID) }

// Restore undoes Delete.
func (s *Sim) Restore(userID string) { s.world.Restore(userID) }

// Merge merges one user into another, like Merge of the engine.
func (s *Sim) Merge(from, into string) {
	s.t.Helper()
	if _, err := s.world.Merge(from, into); err != nil {
		s.t.Fatalf("buckettest: merge %s into %s: %v", from, into, err)
	}
}

// Member reports whether a user is in a bucket now.
func (s *Sim) Member(bucket registry.BucketRef, userID string) bool {
	s.t.Helper()
	return s.world.Member(s.index(bucket), userID)
}

// RequireMember ends the test unless the user is in the bucket now.
func (s *Sim) RequireMember(bucket registry.BucketRef, userID string) {
	s.t.Helper()
	if !s.Member(bucket, userID) {
		s.t.Fatalf("%s: %s is not in %s; what happened to them:\n%s", s.Now().Format(time.RFC3339), userID, bucket.ID(), s.story(userID))
	}
}

// RequireNotMember ends the test if the user is in the bucket now.
func (s *Sim) RequireNotMember(bucket registry.BucketRef, userID string) {
	s.t.Helper()
	if s.Member(bucket, userID) {
		s.t.Fatalf("%s: %s is in %s; what happened to them:\n%s", s.Now().Format(time.RFC3339), userID, bucket.ID(), s.story(userID))
	}
}

// Transition is an enter, a leave or a tick of a stay.
type Transition struct {
	At         time.Time
	UserID     string
	BucketID   string
	Kind       string // entered, left or dwell
	EntryCount int    // number of the stay, from 1
	Source     string
	Reason     string // of a leave: criteria, maxDwell, manual or merged
	Tick       string // label of a tick
	DwellCount int    // number of a tick, from 1
	Suppressed bool   // by the entry policy: it happened, but is not announced
}

// String returns the transition as one line.
func (t Transition) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s %d", t.At.Format(time.RFC3339Nano), t.UserID, t.Kind, t.BucketID, t.EntryCount)
	if t.Reason != "" {
		fmt.Fprintf(&b, " by %s", t.Reason)
	}
	if t.Tick != "" {
		fmt.Fprintf(&b, " %s #%d", t.Tick, t.DwellCount)
	}
	if t.Suppressed {
		b.WriteString(" (suppressed)")
	}
	return b.String()
}

// Transitions returns all transitions so far, by time.
func (s *Sim) Transitions() []Transition {
	var all []Transition
	for _, t := range s.world.Transitions() {
		all = append(all, Transition{
			At: t.At.Time(), UserID: t.User, BucketID: t.BucketID, Kind: string(t.Kind), EntryCount: t.EntryCount,
			Source: string(t.Source), Reason: string(t.Reason), Tick: t.Tick, DwellCount: t.DwellCount, Suppressed: t.Suppressed,
		})
	}
	return all
}

// TransitionsOf returns the transitions of a user so far, by time.
func (s *Sim) TransitionsOf(userID string) []Transition {
	var own []Transition
	user := s.world.Name(userID)
	for _, t := range s.Transitions() {
		if t.UserID == user {
			own = append(own, t)
		}
	}
	return own
}

func (s *Sim) story(userID string) string {
	own := s.TransitionsOf(userID)
	if len(own) == 0 {
		return "  nothing"
	}
	lines := make([]string, len(own))
	for i, t := range own {
		lines[i] = "  " + t.String()
	}
	return strings.Join(lines, "\n")
}

func (s *Sim) index(bucket registry.BucketRef) table.BucketIndex {
	s.t.Helper()
	b, known := s.handle.Resolve(bucket)
	if !known {
		s.t.Fatal("buckettest: the bucket is not in the registry; use a ref that was generated with it")
	}
	return b
}
