package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Write is a set of changes to users whose locks the transaction holds. [NewWrite] returns an empty
// one.
type Write struct {
	events      db.EventsInsertParams
	totals      db.TotalsAddParams
	patches     db.ContactsPatchParams
	changes     db.ChangesPutParams
	dues        db.DuePutParams
	deleted     db.ContactsSetDeletedParams
	shown       db.SizeChangesAddParams // shown are users who are restored
	hidden      db.SizeChangesAddParams // hidden are users who are deleted
	keys        db.IdempotencyKeysInsertParams
	occurrences db.OccurrencesInsertParams
	groups      db.GroupsPutParams
	sums        db.SumsPutParams
	advances    db.AdvancesInsertParams
	progress    db.ProgressPutParams
	places      map[groupKey]int // places are indexes into groups
	leaves      db.MembershipsLeaveParams
	passes      db.MembershipsPassParams
	joins       db.MembershipsJoinParams
	amends      db.MembershipsAmendParams
	transitions db.TransitionsInsertParams
	dueForget   db.DueForgetParams

	totalsGone      db.TotalsForgetParams
	occurrencesGone db.OccurrencesForgetParams
	progressGone    db.ProgressForgetParams
	followed        db.ContactsFollowParams
	owners          db.ContactsHoldParams

	ended db.ExpiredEndParams
	ids   ids

	due      table.Instant
	hasDue   bool
	claims   []usercache.Claim // claims are committed by [Loaded.Remember]
	expected int               // expected is the number of events
	err      error             // err keeps the write from being sent
}

// NewWrite returns a write with room for the changes of users and events.
func NewWrite(users, events int) *Write {
	return &Write{claims: make([]usercache.Claim, 0, users), expected: events}
}

// Due returns the earliest due instant in the write, if there is one.
func (w *Write) Due() (table.Instant, bool) { return w.due, w.hasDue }

// EachDueChange calls f with every contact and bucket whose due instant changes, or whose stay
// begins. It passes only the buckets whose numbers are in buckets.
func (w *Write) EachDueChange(buckets map[int32]bool, f func(contact int64, bucket int32)) {
	for _, pairs := range []struct {
		contacts []int64
		buckets  []int32
	}{{w.joins.ContactIds, w.joins.BucketNos}, {w.dues.ContactIds, w.dues.BucketNos}} {
		for i, no := range pairs.buckets {
			if buckets[no] {
				f(pairs.contacts[i], no)
			}
		}
	}
}

// Transitions returns the number of transitions.
func (w *Write) Transitions() int { return len(w.transitions.ContactIds) }

// Settles reports whether the write changes a due instant, or a user follows a deployment.
func (w *Write) Settles() bool {
	return len(w.dues.ContactIds)+len(w.dueForget.ContactIds)+len(w.followed.ContactIds)+len(w.ended.ContactIds) > 0
}

// ChangesMembership reports whether the write can change the result of a membership read.
func (w *Write) ChangesMembership() bool {
	return len(w.transitions.ContactIds)+len(w.deleted.ContactIds) > 0
}

// Add adds the changes of a session, and claims the user in the cache as of the state that the
// session left. The write keeps neither.
func (w *Write) Add(ld *Loaded, user string, st *decide.State, c decide.Changes) {
	s, u := ld.store, ld.users[user]
	contact := u.contact.ID
	patched := c.Contact != nil && c.Contact.Patches()
	decidedAt, keeps := ld.decidedAt(u, &c)
	owner, held := w.addCacheOwner(ld, u, patched, keeps, decidedAt, &c)
	claim, claimed := ld.claim(u, st, user, patched, held)
	switch {
	case c.Ended:
		s.cache.Forget(user)
		w.addEnded(s, u, user, c.EndedAt, c.Now)
	case claimed:
		w.claims = append(w.claims, claim)
	}
	if c.Contact != nil {
		w.addContact(s, contact, c.Contact, owner, decidedAt)
	}
	if m := u.rebuilt; m != nil {
		w.addRebuilt(s, contact, m)
	}
	w.addFollowed(ld.deployment, u, c.Changed())
	for i := range c.Events {
		w.addEvent(contact, &c.Events[i])
	}
	w.addOccurrences(s, contact, c.Occurrences)
	w.addSums(s, contact, c.Sums)
	w.addProgress(s, contact, c.Advances, c.Progress)
	for i := range c.Stays {
		w.addStay(s, contact, &c.Stays[i])
	}
	for i := range c.Transitions {
		w.addTransition(s, contact, user, &c.Transitions[i])
	}
	for _, d := range c.Due {
		if d.At == table.Never {
			w.dueForget.ContactIds = append(w.dueForget.ContactIds, contact)
			w.dueForget.BucketNos = append(w.dueForget.BucketNos, s.Bucket(d.Bucket))
			continue
		}
		w.setDue(contact, s.Bucket(d.Bucket), timestamp(d.At))
		if !w.hasDue || d.At < w.due {
			w.due, w.hasDue = d.At, true
		}
	}
}

func (w *Write) setDue(contact int64, bucket int32, at pgtype.Timestamptz) {
	w.dues.ContactIds = append(w.dues.ContactIds, contact)
	w.dues.BucketNos = append(w.dues.BucketNos, bucket)
	w.dues.DueAt = append(w.dues.DueAt, at)
}

// Send sends the changes by one round trip, and commits if commit is set. It leaves out statements
// without rows. If an event came without the number of its name, it sends nothing and returns an
// error.
//
// The order matters. Stays that were there are closed before others of the same bucket begin, and
// of those the ones that have ended come before the one that lasts. A restored user appears with
// the stays from before the transaction, a deleted one disappears with those from after it.
// Transitions come last, because each refers to a stay that this transaction changed.
func (w *Write) Send(ctx context.Context, conn Conn, s *Store, commit bool) error {
	q := s.batch()
	into := db.New(q)
	errs := []error{w.err}
	add := func(rows int, exec func() error) {
		if rows > 0 {
			errs = append(errs, exec())
		}
	}
	add(len(w.deleted.ContactIds), func() error { return into.ContactsSetDeleted(ctx, w.deleted) })
	add(len(w.shown.ContactIds), func() error { return into.SizeChangesAdd(ctx, w.shown) })
	add(len(w.owners.ContactIds), func() error { return into.ContactsHold(ctx, w.owners) })
	add(len(w.totalsGone.ContactIds), func() error { return into.TotalsForget(ctx, w.totalsGone) })
	add(len(w.totals.ContactIds), func() error { return into.TotalsAdd(ctx, w.totals) })
	add(len(w.patches.ContactIds), func() error { return into.ContactsPatch(ctx, w.patches) })
	add(len(w.changes.ContactIds), func() error { return into.ChangesPut(ctx, w.changes) })
	add(len(w.dues.ContactIds), func() error { return into.DuePut(ctx, w.dues) })
	add(len(w.events.ContactIds), func() error { return into.EventsInsert(ctx, w.events) })
	add(len(w.keys.ContactIds), func() error { return into.IdempotencyKeysInsert(ctx, w.keys) })
	add(len(w.occurrencesGone.ContactIds), func() error {
		return errors.Join(into.OccurrencesForget(ctx, w.occurrencesGone), into.GroupsForget(ctx, db.GroupsForgetParams(w.occurrencesGone)))
	})
	add(len(w.progressGone.ContactIds), func() error {
		return errors.Join(into.ProgressForget(ctx, w.progressGone), into.AdvancesForget(ctx, db.AdvancesForgetParams(w.progressGone)))
	})
	add(len(w.occurrences.ContactIds), func() error { return into.OccurrencesInsert(ctx, w.occurrences) })
	add(len(w.groups.ContactIds), func() error { return into.GroupsPut(ctx, w.groups) })
	add(len(w.sums.ContactIds), func() error { return into.SumsPut(ctx, w.sums) })
	add(len(w.advances.ContactIds), func() error { return into.AdvancesInsert(ctx, w.advances) })
	add(len(w.progress.ContactIds), func() error { return into.ProgressPut(ctx, w.progress) })
	add(len(w.amends.ContactIds), func() error { return into.MembershipsAmend(ctx, w.amends) })
	add(len(w.leaves.ContactIds), func() error { return into.MembershipsLeave(ctx, w.leaves) })
	add(len(w.passes.ContactIds), func() error { return into.MembershipsPass(ctx, w.passes) })
	add(len(w.joins.ContactIds), func() error { return into.MembershipsJoin(ctx, w.joins) })
	add(len(w.hidden.ContactIds), func() error { return into.SizeChangesAdd(ctx, w.hidden) })
	add(len(w.transitions.ContactIds), func() error { return into.TransitionsInsert(ctx, w.transitions) })
	add(len(w.followed.ContactIds), func() error { return into.ContactsFollow(ctx, w.followed) })
	add(len(w.dueForget.ContactIds), func() error { return into.DueForget(ctx, w.dueForget) })
	add(len(w.ended.ContactIds), func() error { return into.ExpiredEnd(ctx, w.ended) })
	errs = append(errs, w.ids.add(ctx, q))
	if commit {
		q.Add("commit")
	}
	if err := errors.Join(errs...); err != nil || q.Len() == 0 {
		return err
	}
	return q.Send(ctx, conn)
}
