package store

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
)

// queue asks for the locks of users, and for what is not remembered of them. Whoever does not trust memories asks for
// everything.
func (f *Facts) queue(q *queue, mode LoadMode, wanted []Wanted, trust bool) {
	var create []string
	var createdAt []pgtype.Timestamptz
	var more further
	users, ids, versions := make([]string, len(wanted)), make([]int64, len(wanted)), make([]int64, len(wanted))
	deep := trust && mode.view == nil && f.store.holds()
	var some, due group // users of whom what matters is asked, and when they are due
	all, room := fills{facts: f}, make([]user, len(wanted))
	for i := range wanted {
		w := &wanted[i]
		u := &room[i]
		u.cached, f.users[w.User], users[i] = f.store.cache.View(w.User), u, w.User
		if !trust || w.follows() {
			u.cached.History = nil
		}
		switch {
		case u.cached.Properties != nil:
			ids[i], versions[i] = u.cached.Properties.ContactID, u.cached.Properties.Version
		case w.Contact != 0:
			ids[i], versions[i] = w.Contact, -1
		case w.Create:
			create, createdAt = append(create, w.User), append(createdAt, timestamp(w.CreatedAt))
		}
		switch {
		case u.cached.History != nil:
		case deep && u.cached.Properties != nil && !w.follows() && !u.cached.TooLarge:
			all.add(w.User, ids[i])
			due.add(w.User, ids[i])
		default:
			some.add(w.User, ids[i])
			due.add(w.User, ids[i])
		}
		u.once = w.follows()
		f.store.expectOther(&more, w, u, mode.view)
		for _, e := range w.Events {
			f.store.expect(&more, w, u, e)
		}
	}
	if len(create) > 0 {
		q.add(db.ContactsCreate, f.store.OwnTime, int32(Tolerance/time.Second), create, createdAt).Query(each(func(name string) { f.users[name].created = true }))
	}
	f.queueLocks(q, mode, users, ids, versions)
	// Whoever deploys takes no lock of a user. So what is read after the locks were taken is what is true of the users: who
	// deploys later will find them changed.
	q.add(db.GenerationSeen).QueryRow(func(row pgx.Row) error {
		var seen db.GenerationSeenRow
		err := row.Scan(&seen.No, &seen.At)
		f.generation, f.time = seen.No, instant(seen.At)
		return err
	})
	f.queueChanges(q, users, ids, versions)
	if len(some.users) > 0 {
		q.add(db.MembershipsStanding, some.users, some.contacts).Query(each(f.addStanding))
	}
	if len(due.users) > 0 {
		q.add(db.DueOf, due.users, due.contacts).Query(each(f.addDue))
	}
	all.queue(q)
	f.queueKeys(q, wanted, ids)
	f.queueFurther(q, &more)
}

// queueKeys asks which idempotency keys of events were used before.
func (f *Facts) queueKeys(q *queue, wanted []Wanted, ids []int64) {
	var users, keys []string
	var contacts []int64
	for i := range wanted {
		for _, e := range wanted[i].Events {
			if e.Key != "" {
				users, contacts, keys = append(users, wanted[i].User), append(contacts, ids[i]), append(keys, e.Key)
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	q.add(db.IdempotencyKeysSeen, users, contacts, keys).Query(each(func(row db.IdempotencyKeysSeenRow) {
		u := f.users[row.UserID]
		u.seen = append(u.seen, row.Key)
	}))
}

// queueLocks asks for the locks of users. Who waits for locks takes them in the order of names. Who does not can ask for users
// whom it knows by the numbers of their contacts, which are found sooner; but not for those who follow a deployment, who may be
// other contacts by now.
func (f *Facts) queueLocks(q *queue, mode LoadMode, users []string, ids, versions []int64) {
	byName := func(row db.ContactsLockRow) {
		f.users[row.UserID].lock(db.ContactsLockKnownRow{
			ID: row.ID, Email: row.Email, Properties: row.Properties, Version: row.Version, UpdatedAt: row.UpdatedAt, WrittenAt: row.WrittenAt,
			Repeats: row.Repeats, DeletedAt: row.DeletedAt, MergedAt: row.MergedAt, Generation: row.Generation, Stranger: row.Stranger, Holder: row.Holder,
			DecidedAt: row.DecidedAt,
		})
	}
	switch {
	case mode.free:
		q.add(db.ContactsRead, users, ids, versions).Query(each(byName))
		return
	case mode.wait:
		q.add(db.ContactsLockWaiting, users, ids, versions).Query(each(byName))
		return
	}
	known := make(map[int64]*user, len(users))
	var some, others db.ContactsLockParams
	some.Ids, some.Versions = make([]int64, 0, len(users)), make([]int64, 0, len(users))
	for i, name := range users {
		if u := f.users[name]; ids[i] != 0 && !u.once {
			known[ids[i]] = u
			some.Ids, some.Versions = append(some.Ids, ids[i]), append(some.Versions, versions[i])
			continue
		}
		others.UserIds, others.Ids, others.Versions = append(others.UserIds, name), append(others.Ids, ids[i]), append(others.Versions, versions[i])
	}
	if len(others.Ids) > 0 {
		q.add(db.ContactsLock, others.UserIds, others.Ids, others.Versions).Query(each(byName))
	}
	if len(some.Ids) > 0 {
		q.add(db.ContactsLockKnown, some.Ids, some.Versions).Query(each(func(row db.ContactsLockKnownRow) { known[row.ID].lock(row) }))
	}
}

// lock notes what is true of the user, now that the lock is held.
func (u *user) lock(row db.ContactsLockKnownRow) {
	u.row = row
	u.contact = &u.row
}

// group is users of whom something is asked.
type group struct {
	users    []string
	contacts []int64
}

func (g *group) add(user string, contact int64) {
	g.users, g.contacts = append(g.users, user), append(g.contacts, contact)
}
