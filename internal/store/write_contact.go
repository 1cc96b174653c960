package store

import (
	"strconv"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// addCacheOwner makes this engine the owner of a user's cached history, or makes none. It returns
// the new owner, and whether that is this engine. If this engine is the owner already, the contact
// keeps its number although the history may no longer be complete: the claim takes it out of the
// cache before the transaction commits.
//
// The user's time is written by the same statement, or by itself if it has to be kept.
func (w *Write) addCacheOwner(ld *Loaded, u *user, patched, keeps bool, decidedAt pgtype.Timestamptz, c *decide.Changes) (owner int64, held bool) {
	is := u.contact.CacheOwner
	if ld.owns(u) {
		owner = ld.cacheOwner
	}
	changed := !c.Nothing() || u.rebuilt != nil
	if moves := is != owner && is != ld.cacheOwner; changed && !patched && (moves || keeps) {
		to := is
		if moves {
			to = owner
		}
		w.owners.ContactIds = append(w.owners.ContactIds, u.contact.ID)
		w.owners.CacheOwners, w.owners.DecidedAt = append(w.owners.CacheOwners, to), append(w.owners.DecidedAt, decidedAt)
	}
	return owner, owner != 0 && (changed || is == owner)
}

func (w *Write) addContact(s *Store, contact int64, c *decide.ContactChange, owner int64, decidedAt pgtype.Timestamptz) {
	if c.Deleted != nil {
		w.deleted.ContactIds = append(w.deleted.ContactIds, contact)
		w.deleted.Deleted = append(w.deleted.Deleted, *c.Deleted)
		w.deleted.Ats = append(w.deleted.Ats, timestamp(c.At))
		if *c.Deleted {
			w.hidden.Members, w.hidden.ContactIds = -1, append(w.hidden.ContactIds, contact)
		} else {
			w.shown.Members, w.shown.ContactIds = 1, append(w.shown.ContactIds, contact)
		}
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
	w.patches.CacheOwners, w.patches.DecidedAt = append(w.patches.CacheOwners, owner), append(w.patches.DecidedAt, decidedAt)
	w.addChanges(s, contact, c.Changes)
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

// addChanges adds the last changes of declared properties.
func (w *Write) addChanges(s *Store, contact int64, changes []decide.ChangedProperty) {
	for i := range changes {
		c := &changes[i]
		p, _ := s.registry.Property(c.Property)
		w.changes.ContactIds = append(w.changes.ContactIds, contact)
		w.changes.PropertyNos = append(w.changes.PropertyNos, s.properties[p])
		w.changes.Was = append(w.changes.Was, string(c.Was))
		w.changes.ChangedAt = append(w.changes.ChangedAt, timestamp(c.At))
		wasAt := timestamp(c.WasAt)
		switch {
		case c.Follows: // the statement knows the date
			wasAt = pgtype.Timestamptz{}
		case c.WasAt == table.Unset:
			wasAt = pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
		}
		w.changes.WasAt = append(w.changes.WasAt, wasAt)
	}
}

// repeatsText returns when declared properties were sent again, as JSON by number. Null forgets
// one.
func (s *Store) repeatsText(repeats []decide.Repeat) string {
	if len(repeats) == 0 {
		return ""
	}
	text := []byte{'{'}
	for _, r := range repeats {
		if len(text) > 1 {
			text = append(text, ',')
		}
		p, _ := s.registry.Property(r.Property)
		text = append(strconv.AppendInt(append(text, '"'), int64(s.properties[p]), 10), '"', ':')
		if r.At == table.Unset {
			text = append(text, "null"...)
		} else {
			text = strconv.AppendInt(text, int64(r.At), 10)
		}
	}
	return string(append(text, '}'))
}

// addFollowed sets how far a user has come in the deployments, if that changes. A process whose
// definitions are not the deployed ones sets a recheck for users whom it changes, and leaves them
// to the others.
func (w *Write) addFollowed(d *Deployment, u *user, changed bool) {
	contact, was := u.contact.ID, u.generations()
	is := was
	switch {
	case d.behind(was) || u.needsRecheck && d.Agreed:
		is = generations{d.No, many}
	case !d.Agreed && changed && d.Own < was.foreign:
		is.foreign = d.Own
		w.setDue(contact, recheck, u.contact.UpdatedAt)
	}
	if u.needsRecheck && d.Agreed {
		w.dueForget.ContactIds = append(w.dueForget.ContactIds, contact)
		w.dueForget.BucketNos = append(w.dueForget.BucketNos, recheck)
	}
	if is != was {
		foreign := is.foreign
		if foreign == many {
			foreign = -1
		}
		w.followed.ContactIds = append(w.followed.ContactIds, contact)
		w.followed.Generations = append(w.followed.Generations, is.followed)
		w.followed.ForeignGenerations = append(w.followed.ForeignGenerations, foreign)
	}
}
