package simulate

import (
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/internal/decide"
)

// Name returns the name that a user goes by, who may have had another before they were merged.
func (s *Simulator) Name(user string) string {
	if name, merged := s.aliases[user]; merged {
		return name
	}
	return user
}

// Merge makes a user another, who is created if need be, and reports whether they were two.
func (s *Simulator) Merge(from, into string) (merged bool, err error) {
	from, into = s.Name(from), s.Name(into)
	if from == into {
		return false, nil
	}
	for _, name := range []string{from, into} {
		if u := s.users[name]; u != nil && u.state.Contact.Deleted {
			return false, fmt.Errorf("user %q is deleted", name)
		}
	}
	for other, name := range s.aliases {
		if name == from {
			s.aliases[other] = into
		}
	}
	loser, created := s.users[from], s.users[into] == nil
	s.create(into)
	s.run(into, s.catchUpOne)
	if loser != nil {
		s.run(from, s.catchUpOne)
		s.absorb(from, into)
	}
	s.aliases[from] = into
	if loser != nil || created {
		s.run(into, func(u *decide.Session) decide.Result { return u.Merge(s.now) })
	}
	return true, nil
}

// absorb gives a user all that is known of another, who is gone then. The log of the other comes after the user's own.
func (s *Simulator) absorb(from, into string) {
	u, loser := s.users[into], s.users[from]
	u.log = append(u.log, loser.log...)
	u.state.Seen = append(u.state.Seen, loser.state.Seen...)
	u.inherit(loser)
	u.state.Facts = u.recount(s.registry, into)
	for _, stay := range loser.state.Stays {
		i := slices.IndexFunc(u.state.Stays, func(own decide.Stay) bool { return own.Bucket == stay.Bucket })
		if i < 0 {
			i, u.state.Stays = len(u.state.Stays), append(u.state.Stays, decide.Stay{})
		}
		u.state.Stays[i] = s.succession(from, into, s.registry.Buckets[stay.Bucket].ID, u.state.Stays[i], stay)
	}
	for bucket, stay := range loser.gone {
		u.gone[bucket] = s.succession(from, into, bucket, u.gone[bucket], stay)
	}
	delete(s.users, from)
}

// succession returns what is the last stay in a bucket of a user into whom another is merged: their own, with epoch 0 if there
// is none, or the other's.
func (s *Simulator) succession(from, into, bucket string, own, other decide.Stay) decide.Stay {
	if own.Epoch > 0 && !other.Succeeds(&own) {
		if own.Active() && other.Active() {
			s.transitions = append(s.transitions, Transition{decide.Transition{
				Kind: decide.Left, Epoch: other.Epoch, At: s.now, DecidedAt: s.now, Source: decide.SourceEvent, Reason: decide.ReasonMerged, Suppressed: true,
			}, from, bucket})
		}
		return own
	}
	s.rename(from, into, bucket, other.Epoch, own.Epoch+1)
	other.Epoch = own.Epoch + 1
	return other
}

// rename lets what happened to a stay be about another user, and about another of their stays.
func (s *Simulator) rename(from, into, bucket string, before, after int) {
	for i := range s.transitions {
		if t := &s.transitions[i]; t.User == from && t.BucketID == bucket && t.Epoch == before {
			t.User, t.Epoch = into, after
		}
	}
}

// inherit fills the gaps in what is known of the user's properties by those of another. Since when a property has its value goes
// with the value.
func (u *user) inherit(loser *user) {
	contact := &u.state.Contact
	contact.UpdatedAt = max(contact.UpdatedAt, loser.state.Contact.UpdatedAt)
	has := func(key string) bool { return contact.Properties.Get(key).Value.Exists() }
	for key, change := range loser.changes {
		if _, changed := u.changes[key]; !changed && !has(key) {
			u.changes[key] = change
		}
	}
	for _, field := range loser.state.Contact.Properties.Fields() {
		if has(field.Key) {
			continue
		}
		contact.Properties.Put(field)
		delete(u.changes, field.Key)
		if change, changed := loser.changes[field.Key]; changed {
			u.changes[field.Key] = change
		}
		if field.Key == "email" {
			contact.Email = field.Value.Text
		}
	}
	u.state.Contact = *contact
}
