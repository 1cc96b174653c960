package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Name returns the present name of a user, who may have had another before a merge.
func (s *Simulator) Name(user string) string {
	if name, merged := s.aliases[user]; merged {
		return name
	}
	return user
}

// Merge merges one user into another, who is created if need be, and reports whether they were two.
// It is refused if the properties of both exceed the limits.
func (s *Simulator) Merge(from, into string) (merged bool, err error) {
	s.wake(s.Name(from))
	s.wake(s.Name(into))
	from, into = s.Name(from), s.Name(into)
	if from == into {
		return false, nil
	}
	for _, name := range []string{from, into} {
		if u := s.users[name]; u != nil && u.state.Contact.Deleted {
			return false, fmt.Errorf("user %q is deleted", name)
		}
	}
	loser, created := s.users[from], s.users[into] == nil
	if loser != nil && !created {
		own, other := s.users[into].state.Contact.Properties, loser.state.Contact.Properties
		if problem, exceeds := s.limits.Exceeds(own, other); exceeds {
			return false, &bucketgen.InvalidError{Field: "from", Problem: problem}
		}
	}
	s.create(into)
	s.run(into, s.catchUpOne)
	if loser != nil {
		s.run(from, s.catchUpOne)
		s.absorb(from, into)
	}
	s.realias(from, into)
	s.trim(into)
	if loser != nil || created {
		s.run(into, func(u *decide.Session) decide.Result { return u.Merge(s.now) })
	}
	return true, nil
}

// absorb adds all facts of another user, who is gone then. The log of the other comes after the
// user's own.
func (s *Simulator) absorb(from, into string) {
	u, loser := s.users[into], s.users[from]
	u.log = append(u.log, loser.log...)
	u.state.Seen = append(u.state.Seen, loser.state.Seen...)
	u.state.InheritProperties(loser.state)
	u.state.InheritLastEvent(loser.state)
	s.part(from, into)
	delete(s.users, from)
}

// part decides over the stays of two users who become one, in all buckets that they were ever in,
// also those that are no longer defined.
func (s *Simulator) part(from, into string) {
	u, loser := s.users[into], s.users[from]
	bare := s.bare(loser)
	u.move(s.registry, bare, into)
	loser.move(s.registry, bare, from)
	var heir, other decide.Session
	heir.Begin(bare, u.state, decide.Options{})
	other.Begin(bare, loser.state, decide.Options{})
	last := heir.Last()
	for _, h := range heir.Inherit(other.Last()) {
		s.rename(from, into, bare.Buckets[h.Bucket].ID, h.EntryCount, h.Next)
	}
	s.note(from, bare, other.Yield(last, s.now))
	u.move(bare, s.registry, into) // which recounts the events of both
}

// bare returns a registry of the defined buckets and those that a user was ever in. Of the latter
// only the stays matter.
func (s *Simulator) bare(u *user) *table.Registry {
	r := &table.Registry{}
	for i := range s.registry.Buckets {
		r.Buckets = append(r.Buckets, table.Bucket{ID: s.registry.Buckets[i].ID, Kind: table.Manual})
	}
	for id := range u.gone {
		r.Buckets = append(r.Buckets, table.Bucket{ID: id, Kind: table.Manual})
	}
	slices.SortFunc(r.Buckets, func(a, b table.Bucket) int { return strings.Compare(a.ID, b.ID) })
	return r
}

// rename moves a transition to another user, and to another of their stays.
func (s *Simulator) rename(from, into, bucket string, before, after int) {
	for i := range s.transitions {
		if t := &s.transitions[i]; t.User == from && t.BucketID == bucket && t.EntryCount == before {
			t.User, t.EntryCount = into, after
		}
	}
}
