package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry"
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
	holds           db.ContactsHoldParams

	due      registry.Instant
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
func (w *Write) Due() (registry.Instant, bool) { return w.due, w.hasDue }

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
func (w *Write) Shows() bool { return len(w.transitions.ContactIds)+len(w.deleted.ContactIds) > 0 }

// Add adds what was decided about a user, and the state in which that left them. Neither is needed afterwards.
func (w *Write) Add(f *Facts, user string, st *decide.State, c decide.Changes) {
	s, u := f.store, f.users[user]
	contact := u.contact.ID
	patched := c.Contact != nil && c.Contact.Patches()
	decidedAt, keeps := f.decidedAt(u, &c)
	holder, held := w.addHolder(f, u, patched, keeps, decidedAt, &c)
	if claim, claimed := f.claim(u, st, user, patched, held); claimed {
		w.claims = append(w.claims, claim)
	}
	if c.Contact != nil {
		w.addContact(s, contact, c.Contact, holder, decidedAt)
	}
	if m := u.remade; m != nil {
		w.addRemade(s, contact, m)
	}
	w.addFollowed(f.deployment, u, c.Changed())
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
		if d.At == registry.Never {
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

// addHolder notes who holds a user of whom something is written, and returns that, and whether this engine does then. Where it
// did before, that can stay: what it remembers is taken from the cache before the transaction commits.
//
// The user's time is written beside it, or by itself if it has to be kept.
func (w *Write) addHolder(f *Facts, u *user, patched, keeps bool, decidedAt pgtype.Timestamptz, c *decide.Changes) (holder int64, held bool) {
	is := u.contact.Holder
	if f.holds(u) {
		holder = f.holder
	}
	changed := !c.Nothing() || u.remade != nil
	if moves := is != holder && is != f.holder; changed && !patched && (moves || keeps) {
		to := is
		if moves {
			to = holder
		}
		w.holds.ContactIds = append(w.holds.ContactIds, u.contact.ID)
		w.holds.Holders, w.holds.DecidedAt = append(w.holds.Holders, to), append(w.holds.DecidedAt, decidedAt)
	}
	return holder, holder != 0 && (changed || is == holder)
}

func (w *Write) addContact(s *Store, contact int64, c *decide.ContactChange, holder int64, decidedAt pgtype.Timestamptz) {
	if c.Deleted != nil {
		w.deleted.ContactIds = append(w.deleted.ContactIds, contact)
		w.deleted.Deleted = append(w.deleted.Deleted, *c.Deleted)
		w.deleted.Ats = append(w.deleted.Ats, timestamp(c.At))
	}
	if !c.Patches() {
		return
	}
	email := ""
	if c.Email != nil {
		email = *c.Email
	}
	w.patches.ContactIds = append(w.patches.ContactIds, contact)
	w.patches.Sets = append(w.patches.Sets, string(payload.AppendObject(nil, c.Set)))
	w.patches.Removes = append(w.patches.Removes, list(c.Remove))
	w.patches.Emails = append(w.patches.Emails, email)
	w.patches.EmailsChanged = append(w.patches.EmailsChanged, c.Email != nil)
	w.patches.Ats = append(w.patches.Ats, timestamp(c.At))
	w.patches.WrittenAts = append(w.patches.WrittenAts, timestamp(c.WrittenAt))
	w.patches.Repeats = append(w.patches.Repeats, s.repeatsText(c.Repeats))
	w.patches.Holders, w.patches.DecidedAt = append(w.patches.Holders, holder), append(w.patches.DecidedAt, decidedAt)
	w.addChanges(s, contact, c.Changes)
}

func (w *Write) addEvent(contact int64, e *decide.Logged) {
	if e.Kind.Named() != (e.NameNo != 0) {
		w.err = errUnnamed
	}
	w.makeRoomForEvents()
	w.events.ContactIds = append(w.events.ContactIds, contact)
	w.events.EventNos = append(w.events.EventNos, e.NameNo)
	w.events.OccurredAt = append(w.events.OccurredAt, timestamp(e.OccurredAt))
	w.events.ReceivedAt = append(w.events.ReceivedAt, timestamp(e.ReceivedAt))
	w.events.Kinds = append(w.events.Kinds, string(e.Kind))
	w.events.Properties = append(w.events.Properties, string(e.Properties.Raw))
	w.events.Traits = append(w.events.Traits, string(e.Traits.Raw))
	if e.Key != "" {
		w.keys.ContactIds = append(w.keys.ContactIds, contact)
		w.keys.Keys = append(w.keys.Keys, e.Key)
		w.keys.SeenAt = append(w.keys.SeenAt, timestamp(e.ReceivedAt))
	}
}

// makeRoomForEvents lets the columns of the log be as long as they will be, instead of growing.
func (w *Write) makeRoomForEvents() {
	e, n := &w.events, w.expected
	if e.ContactIds != nil {
		return
	}
	e.ContactIds, e.EventNos = make([]int64, 0, n), make([]int32, 0, n)
	e.OccurredAt, e.ReceivedAt = make([]pgtype.Timestamptz, 0, n), make([]pgtype.Timestamptz, 0, n)
	e.Kinds, e.Properties, e.Traits = make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
}

func (w *Write) addStay(s *Store, contact int64, c *decide.StayChange) {
	no, epoch := s.buckets[c.Bucket], int32(c.Epoch)
	switch {
	case c.Opened && c.Closed:
		w.passes.ContactIds = append(w.passes.ContactIds, contact)
		w.passes.BucketNos = append(w.passes.BucketNos, no)
		w.passes.Epochs = append(w.passes.Epochs, epoch)
		w.passes.EnteredAt = append(w.passes.EnteredAt, timestamp(c.EnteredAt))
		w.passes.LeftAt = append(w.passes.LeftAt, timestamp(c.LeftAt))
		w.passes.AnchorAt = append(w.passes.AnchorAt, timestamp(c.AnchorAt))
		w.passes.TickedAt = append(w.passes.TickedAt, timestamp(c.TickedAt))
		w.passes.Blocked = append(w.passes.Blocked, c.Blocked)
		w.passes.Sources = append(w.passes.Sources, string(c.Source))
		w.passes.Reasons = append(w.passes.Reasons, string(c.Reason))
	case c.Opened:
		w.joins.ContactIds = append(w.joins.ContactIds, contact)
		w.joins.BucketNos = append(w.joins.BucketNos, no)
		w.joins.Epochs = append(w.joins.Epochs, epoch)
		w.joins.EnteredAt = append(w.joins.EnteredAt, timestamp(c.EnteredAt))
		w.joins.AnchorAt = append(w.joins.AnchorAt, timestamp(c.AnchorAt))
		w.joins.TickedAt = append(w.joins.TickedAt, timestamp(c.TickedAt))
		w.joins.Sources = append(w.joins.Sources, string(c.Source))
	case c.Closed:
		w.leaves.ContactIds = append(w.leaves.ContactIds, contact)
		w.leaves.BucketNos = append(w.leaves.BucketNos, no)
		w.leaves.Epochs = append(w.leaves.Epochs, epoch)
		w.leaves.LeftAt = append(w.leaves.LeftAt, timestamp(c.LeftAt))
		w.leaves.Reasons = append(w.leaves.Reasons, string(c.Reason))
		w.leaves.TickedAt = append(w.leaves.TickedAt, timestamp(c.TickedAt))
		w.leaves.Blocked = append(w.leaves.Blocked, c.Blocked)
	default:
		w.amends.ContactIds = append(w.amends.ContactIds, contact)
		w.amends.BucketNos = append(w.amends.BucketNos, no)
		w.amends.Epochs = append(w.amends.Epochs, epoch)
		w.amends.TickedAt = append(w.amends.TickedAt, timestamp(c.TickedAt))
		w.amends.Blocked = append(w.amends.Blocked, c.Blocked)
	}
}

func (w *Write) addTransition(s *Store, contact int64, t *decide.Transition) {
	w.transitions.ContactIds = append(w.transitions.ContactIds, contact)
	w.transitions.BucketNos = append(w.transitions.BucketNos, s.buckets[t.Bucket])
	w.transitions.Epochs = append(w.transitions.Epochs, int32(t.Epoch))
	w.transitions.Kinds = append(w.transitions.Kinds, string(t.Kind))
	w.transitions.Labels = append(w.transitions.Labels, t.Label)
	w.transitions.Ordinals = append(w.transitions.Ordinals, int64(t.Ordinal))
	w.transitions.Ats = append(w.transitions.Ats, timestamp(t.At))
	w.transitions.DecidedAt = append(w.transitions.DecidedAt, timestamp(t.DecidedAt))
	w.transitions.Sources = append(w.transitions.Sources, string(t.Source))
	w.transitions.Reasons = append(w.transitions.Reasons, string(t.Reason))
	w.transitions.Suppressed = append(w.transitions.Suppressed, t.Suppressed)
}

// Send writes everything by one round trip, and commits if it is told to. If an event came without the number of its name, it sends
// nothing and returns an error. Statements without rows are left out.
//
// The order matters. Stays that were there are closed before others of the same bucket begin, and of those the ones
// that have ended come before the one that lasts; transitions come last, because each stands on a stay that this
// transaction changed.
func (w *Write) Send(ctx context.Context, conn Conn, s *Store, commit bool) error {
	q := &queue{store: s}
	into := db.New(q)
	errs := []error{w.err}
	add := func(rows int, exec func() error) {
		if rows > 0 {
			errs = append(errs, exec())
		}
	}
	add(len(w.deleted.ContactIds), func() error { return into.ContactsSetDeleted(ctx, w.deleted) })
	add(len(w.holds.ContactIds), func() error { return into.ContactsHold(ctx, w.holds) })
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
		q.add("commit")
	}
	if err := errors.Join(errs...); err != nil || q.batch.Len() == 0 {
		return err
	}
	return q.send(ctx, conn)
}

func list(keys []string) string {
	out := []byte{'['}
	for i, key := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = payload.AppendText(out, key)
	}
	return string(append(out, ']'))
}
