package refeval

import (
	"maps"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// merge merges two users: everything that the loser did, has and is in becomes the survivor's, and
// their name is another name of the survivor from then on. Then all buckets are evaluated, as after
// an event that each of them asks about. Of an unknown loser there is only the name.
func (w *world) merge(s *Action) StepResult {
	from, into := w.name(s.User), w.name(s.Into)
	if from == into {
		return StepResult{}
	}
	loser := w.users[from]
	if survivor := w.users[into]; loser != nil && loser.deleted || survivor != nil && survivor.deleted {
		return StepResult{Refused: "the user is deleted"}
	}
	survivor, created := w.user(into, s.At)
	survivor.settleBefore(s.At)
	w.realias(from, into, s.At)
	if loser != nil {
		loser.settleBefore(s.At)
		survivor.absorb(loser, s)
		delete(w.users, from)
		w.merged = append(w.merged, loser)
	}
	w.giveUp(into)
	if loser != nil || created {
		survivor.evaluateAll(s.At)
	}
	return StepResult{Merged: true}
}

// evaluateAll evaluates all buckets as after an event that each of them asks about.
func (u *user) evaluateAll(t time.Time) {
	u.evaluateSome(t, "event", func(*ir.Definition) bool { return true })
}

// name returns the name that a user goes by.
func (w *world) name(user string) string {
	if name, merged := w.aliases[user]; merged {
		return name
	}
	return user
}

// absorb takes over all that is known of another. What the other did comes as if it arrived now.
func (u *user) absorb(loser *user, s *Action) {
	u.facts.Events = append(u.facts.Events, loser.facts.Events...)
	maps.Copy(u.keys, loser.keys)
	u.inherit(loser)
	if loser.heard.After(u.heard) {
		u.heard = loser.heard
	}
	for _, bucket := range slices.Sorted(maps.Keys(loser.stays)) {
		u.takeOver(bucket, loser, s)
	}
}

// takeOver makes the loser's last stay in a bucket the survivor's next one, with all that happened
// to it, if it is later than the survivor's last: if it lasts, or ended later. Where both are in
// the bucket, the survivor's stay goes on, and the loser's ends, which is not announced.
func (u *user) takeOver(bucket string, loser *user, s *Action) {
	own, other := u.latest(bucket), loser.latest(bucket)
	switch {
	case own != nil && own.left.IsZero() && other.left.IsZero():
		other.left, other.reason = s.At, "merged"
		loser.happen(Transition{Bucket: bucket, Kind: "left", EntryCount: other.entryCount, At: s.At, Source: "event", Reason: "merged", Suppressed: true})
		return
	case own != nil && (own.left.IsZero() || !other.left.IsZero() && !other.left.After(own.left)):
		return
	case own != nil:
		own.blocked = false
	}
	before := other.entryCount
	other.entryCount = len(u.stays[bucket]) + 1
	u.stays[bucket] = append(u.stays[bucket], other)
	u.facts.Members[bucket] = other.left.IsZero()
	loser.stays[bucket] = loser.stays[bucket][:before-1]
	for i := range u.world.transitions {
		if t := &u.world.transitions[i]; t.User == loser.name && t.Bucket == bucket && t.EntryCount == before {
			t.User, t.EntryCount = u.name, other.entryCount
		}
	}
}
