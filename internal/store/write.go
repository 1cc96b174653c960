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

// Write is what is to be written about users, whose locks the transaction holds. [NewWrite] returns an empty one.
type Write struct {
	events      db.EventsInsertParams
	totals      db.TotalsAddParams
	patches     db.ContactsPatchParams
	changes     db.ChangesPutParams
	dues        db.DuePutParams
	deleted     db.ContactsSetDeletedParams
	keys        db.IdempotencyKeysInsertParams
	occurrences db.OccurrencesInsertParams
	groups      db.GroupsPutParams
	sums        db.SumsPutParams
	advances    db.AdvancesInsertParams
	progress    db.ProgressPutParams
	places      map[groupKey]int // of the groups
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

	due      table.Instant
	hasDue   bool
	claims   []usercache.Claim // claims are filled with the users of the write; Facts.Remember commits them
	expected int               // events
	err      error             // what was found to be wrong, which keeps it from being sent
}

// NewWrite returns a write with room for what is to be written about users and events.
func NewWrite(users, events int) *Write {
	return &Write{claims: make([]usercache.Claim, 0, users), expected: events}
}

// Due returns the earliest due instant that is written, if any is.
func (w *Write) Due() (table.Instant, bool) { return w.due, w.hasDue }

// Arm calls f with every contact and bucket whose due instant changes, or whose stay begins:
// of the buckets with those numbers.
func (w *Write) Arm(buckets map[int32]bool, f func(contact int64, bucket int32)) {
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

// Transitions returns how many transitions are written.
func (w *Write) Transitions() int { return len(w.transitions.ContactIds) }

// Settles reports whether a due instant changes, or a user follows a deployment.
func (w *Write) Settles() bool {
	return len(w.dues.ContactIds)+len(w.dueForget.ContactIds)+len(w.followed.ContactIds) > 0
}

// Shows reports whether whoever looks at what users are in may see something else than before.
func (w *Write) ChangesMembership() bool {
	return len(w.transitions.ContactIds)+len(w.deleted.ContactIds) > 0
}

// Add adds what was decided about a user, and the state in which that left them. Neither is needed afterwards.
func (w *Write) Add(ld *Loaded, user string, st *decide.State, c decide.Changes) {
	s, u := ld.store, ld.users[user]
	contact := u.contact.ID
	patched := c.Contact != nil && c.Contact.Patches()
	decidedAt, keeps := ld.decidedAt(u, &c)
	holder, held := w.addCacheOwner(ld, u, patched, keeps, decidedAt, &c)
	if claim, claimed := ld.claim(u, st, user, patched, held); claimed {
		w.claims = append(w.claims, claim)
	}
	if c.Contact != nil {
		w.addContact(s, contact, c.Contact, holder, decidedAt)
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
		w.addTransition(s, contact, &c.Transitions[i])
	}
	for _, d := range c.Due {
		if d.At == table.Never {
			w.dueForget.ContactIds = append(w.dueForget.ContactIds, contact)
			w.dueForget.BucketNos = append(w.dueForget.BucketNos, s.buckets[d.Bucket])
			continue
		}
		w.setDue(contact, s.buckets[d.Bucket], timestamp(d.At))
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

// Send writes everything by one round trip, and commits if it is told to. If an event came without the number of its name, it sends
// nothing and returns an error. Statements without rows are left out.
//
// The order matters. Stays that were there are closed before others of the same bucket begin, and of those the ones
// that have ended come before the one that lasts; transitions come last, because each stands on a stay that this
// transaction changed.
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
	add(len(w.transitions.ContactIds), func() error { return into.TransitionsInsert(ctx, w.transitions) })
	add(len(w.followed.ContactIds), func() error { return into.ContactsFollow(ctx, w.followed) })
	add(len(w.dueForget.ContactIds), func() error { return into.DueForget(ctx, w.dueForget) })
	if commit {
		q.Add("commit")
	}
	if err := errors.Join(errs...); err != nil || q.Len() == 0 {
		return err
	}
	return q.Send(ctx, conn)
}
