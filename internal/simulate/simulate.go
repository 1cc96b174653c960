// Package simulate runs a registry over users in memory, in virtual time: the registry and decide
// of the engine, without a database.
package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Simulator is a world of users. It is for one goroutine.
type Simulator struct {
	registry    *table.Registry
	limits      decide.Limits
	now         table.Instant
	announced   Announced
	paused      map[string]bool // buckets, by id
	frozen      []bool          // those of them that are defined
	users       map[string]*user
	aliases     map[string]string // present names by the names that users had before a merge, and by other ids
	lives       map[string]int    // lives counts how often a user of a name was erased
	ids         resolve.Limits
	seenAt      map[string]lastSeen // seenAt are those of the names in aliases
	transitions []Transition
	past        []Transition   // past are those by names that are free again
	session     decide.Session // reused for one user after the other
}

var errPaused = errors.New("the bucket is paused")

// Transition is a transition of a user.
type Transition struct {
	decide.Transition
	User     string
	BucketID string
}

// New returns a world without users, at an instant. Limits bound the properties of a user.
func New(r *table.Registry, now table.Instant, limits decide.Limits) *Simulator {
	return &Simulator{
		registry: r, limits: limits, now: now, announced: Announced{Leaves: true}, paused: map[string]bool{}, users: map[string]*user{}, aliases: map[string]string{},
		lives: map[string]int{}, seenAt: map[string]lastSeen{},
	}
}

// Now returns the time of the world.
func (s *Simulator) Now() table.Instant { return s.now }

// AdvanceTo moves the clock forward. What is due on the way happens at its own instant, but is only
// computed on the next access: an event at t still comes before the clock's transitions at t.
func (s *Simulator) AdvanceTo(t table.Instant) {
	s.now = max(s.now, t)
}

// Ingest ingests an event of a user, who is created if need be.
func (s *Simulator) Ingest(user string, e decide.Event) decide.Result {
	return s.IngestAs([]string{user}, true, e)
}

// IngestAs ingests an event with ids, given by their names, the highest first. Whose it is, and
// what becomes of the ids, package resolve decides.
func (s *Simulator) IngestAs(names []string, trusted bool, e decide.Event) decide.Result {
	user := s.identify(names, trusted)
	s.create(user)
	return s.run(user, func(u *decide.Session) decide.Result { return u.Ingest(e, s.now) })
}

// Add adds a user to a manual bucket.
func (s *Simulator) Add(b table.BucketIndex, user string) error {
	if s.isFrozen(b) {
		return errPaused // before a user is created in vain
	}
	s.wake(s.Name(user))
	s.create(s.Name(user))
	return s.existing(user, func(u *decide.Session) decide.Result { return u.Add(b, s.now) })
}

// Remove removes a user from a manual bucket.
func (s *Simulator) Remove(b table.BucketIndex, user string) error {
	if s.isFrozen(b) {
		return errPaused
	}
	return s.existing(user, func(u *decide.Session) decide.Result { return u.Remove(b, s.now) })
}

// Delete hides a user.
func (s *Simulator) Delete(user string) {
	_ = s.existing(user, func(u *decide.Session) decide.Result { return u.Delete(s.now) })
}

// Restore undoes Delete.
func (s *Simulator) Restore(user string) {
	_ = s.existing(user, func(u *decide.Session) decide.Result { return u.Restore(s.now) })
}

// Reconcile recomputes all memberships. It returns how many of them differed.
func (s *Simulator) Reconcile() int {
	s.Transitions() // what is due before is no difference
	before := len(s.transitions)
	for user := range s.users {
		_ = s.existing(user, func(u *decide.Session) decide.Result { return u.Reconcile(s.now) })
	}
	return len(s.transitions) - before
}

// User returns the state of a user now, or nil.
func (s *Simulator) User(user string) *decide.State {
	_ = s.existing(user, func(u *decide.Session) decide.Result { return u.Clock(s.now) })
	if u := s.users[s.Name(user)]; u != nil {
		return u.state
	}
	return nil
}

// Stays returns the latest stay of a user in each bucket that they were ever in, by its id: also in
// buckets that are no longer defined.
func (s *Simulator) Stays(user string) map[string]decide.Stay {
	all := map[string]decide.Stay{}
	if s.User(user) == nil {
		return all
	}
	u := s.users[s.Name(user)]
	maps.Copy(all, u.gone)
	for _, stay := range u.state.Stays {
		all[s.registry.Buckets[stay.Bucket].ID] = stay
	}
	return all
}

// Member reports whether a user is in a bucket now. Deleted users are in none.
func (s *Simulator) Member(b table.BucketIndex, user string) bool {
	st := s.User(user)
	return st != nil && !st.Contact.Deleted && slices.ContainsFunc(st.Stays, func(stay decide.Stay) bool {
		return stay.Bucket == b && stay.Active()
	})
}

// Transitions returns all transitions so far, by time.
func (s *Simulator) Transitions() []Transition {
	s.Present() // works out what is due
	return sorted(slices.Concat(s.past, s.transitions))
}

// Present returns the transitions of the present users: without those of users who have expired,
// and those from before a name became free.
func (s *Simulator) Present() []Transition {
	for user := range s.users {
		s.User(user)
	}
	return sorted(slices.Clone(s.transitions))
}

func sorted(all []Transition) []Transition {
	slices.SortStableFunc(all, func(a, b Transition) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.User, b.User))
	})
	return all
}

func (s *Simulator) create(name string) {
	if s.users[name] == nil {
		s.users[name] = newUser(s.registry, name)
		s.users[name].state.Contact.Life = s.life(name)
	}
}

func (s *Simulator) existing(user string, step func(*decide.Session) decide.Result) error {
	user = s.Name(user)
	if s.users[user] == nil {
		return nil
	}
	switch result := s.run(user, step); {
	case result.Deleted:
		return fmt.Errorf("user %q is deleted", user)
	case result.Paused:
		return errPaused
	}
	return nil
}

func (s *Simulator) run(name string, do func(*decide.Session) decide.Result, steps ...decide.Rollout) decide.Result {
	u := s.users[name]
	s.session.Begin(s.registry, u.state, decide.Options{Frozen: s.frozen, Steps: steps, Limits: s.limits})
	result := do(&s.session)
	changes := s.session.Changes()
	u.remember(changes)
	s.note(name, s.registry, result)
	if changes.Ended {
		s.end(name)
	}
	return result
}

// note adds the transitions of a user in buckets of a registry.
func (s *Simulator) note(name string, r *table.Registry, result decide.Result) {
	for _, t := range result.Transitions {
		s.transitions = append(s.transitions, Transition{t, name, r.Buckets[t.Bucket].ID})
	}
}
