package store

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/internal/usercache"
)

// queueLoad adds the statements that lock users and read what is not cached of them. Without trust
// it reads everything.
func (ld *Loaded) queueLoad(q *pipeline.Batch, mode LoadMode, requests []Request, trust bool) {
	var create []string
	var createdAt []pgtype.Timestamptz
	var more moreFacts
	users, ids, versions := make([]string, len(requests)), make([]int64, len(requests)), make([]int64, len(requests))
	deep := trust && mode.view == nil && ld.store.cachesHistory()
	var some, due group // those whose current stays, or due instants, are read
	all, room := fills{facts: ld}, make([]user, len(requests))
	for i := range requests {
		req := &requests[i]
		u := &room[i]
		u.cached, ld.users[req.User], users[i] = ld.store.viewOf(req), u, req.User
		if !trust || req.follows() {
			u.cached.History = nil
		}
		switch {
		case u.cached.Properties != nil:
			ids[i], versions[i] = u.cached.Properties.ContactID, u.cached.Properties.Version
		case req.Contact != 0:
			ids[i], versions[i] = req.Contact, -1
		case req.Create:
			create, createdAt = append(create, req.User), append(createdAt, timestamp(req.CreatedAt))
		}
		switch {
		case u.cached.History != nil:
		case deep && u.cached.Properties != nil && !req.follows() && !u.cached.TooLarge:
			all.add(req.User, ids[i])
			due.add(req.User, ids[i])
		default:
			some.add(req.User, ids[i])
			due.add(req.User, ids[i])
		}
		u.once = req.follows()
		ld.store.prefetchOther(&more, req, u, mode.view)
		for _, e := range req.Events {
			ld.store.prefetch(&more, req, u, e)
		}
	}
	if len(create) > 0 {
		hashes := ld.store.hashes(create)
		q.Add(db.ContactsCreate, ld.store.OwnTime, int32(Tolerance/time.Second), create, createdAt, hashes).Query(pipeline.Each(ld.addCreated))
		if hashes != nil {
			q.Add(db.SuppressionsOf, create, hashes).Query(pipeline.Each(ld.addSuppression))
		}
	}
	ld.queueLocks(q, mode, users, ids, versions)
	// A deployment takes no locks of users. Its number is read after the locks, so that a later
	// deployment finds what this transaction has changed.
	q.Add(db.GenerationSeen).QueryRow(func(row pgx.Row) error {
		var seen db.GenerationSeenRow
		err := row.Scan(&seen.No, &seen.At)
		ld.generation, ld.time = seen.No, instant(seen.At)
		return err
	})
	ld.queueChanges(q, users, ids, versions)
	if len(some.users) > 0 {
		q.Add(db.MembershipsCurrent, some.users, some.contacts).Query(pipeline.Each(ld.addCurrent))
	}
	if len(due.users) > 0 {
		q.Add(db.DueOf, due.users, due.contacts).Query(pipeline.Each(ld.addDue))
	}
	all.queue(q)
	ld.queueKeys(q, requests, ids)
	ld.queueMore(q, &more)
}

// viewOf returns what is cached of the user of a request. Of a user who was erased by another
// process, and came back, nothing is.
func (s *Store) viewOf(req *Request) usercache.View {
	v := s.cache.View(req.User)
	if p := v.Properties; p != nil && req.Contact != 0 && req.Contact != p.ContactID {
		s.cache.Forget(req.User)
		return usercache.View{}
	}
	return v
}

// queueKeys reads which idempotency keys of the requests' events were used before.
func (ld *Loaded) queueKeys(q *pipeline.Batch, requests []Request, ids []int64) {
	var users, keys []string
	var contacts []int64
	for i := range requests {
		for _, e := range requests[i].Events {
			if e.Key != "" {
				users, contacts, keys = append(users, requests[i].User), append(contacts, ids[i]), append(keys, e.Key)
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	q.Add(db.IdempotencyKeysSeen, users, contacts, keys).Query(pipeline.Each(func(row db.IdempotencyKeysSeenRow) {
		u := ld.users[row.UserID]
		u.seen = append(u.seen, row.Key)
	}))
}

// queueLocks adds the statements that take the locks. A mode that waits takes them in the order of
// names. One that skips locked users finds known contacts by id, which is faster; but not those of
// jobs, where another contact may have the name by now.
func (ld *Loaded) queueLocks(q *pipeline.Batch, mode LoadMode, users []string, ids, versions []int64) {
	byName := func(row db.ContactsLockRow) {
		ld.users[row.UserID].lock(db.ContactsLockKnownRow{
			ID: row.ID, Email: row.Email, Properties: row.Properties, Version: row.Version, UpdatedAt: row.UpdatedAt, WrittenAt: row.WrittenAt,
			Repeats: row.Repeats, DeletedAt: row.DeletedAt, MergedAt: row.MergedAt, Generation: row.Generation, ForeignGeneration: row.ForeignGeneration, CacheOwner: row.CacheOwner,
			DecidedAt: row.DecidedAt, Life: row.Life,
		})
	}
	switch {
	case mode.free:
		q.Add(db.ContactsRead, users, ids, versions).Query(pipeline.Each(byName))
		return
	case mode.wait:
		q.Add(db.ContactsLockWaiting, users, ids, versions).Query(pipeline.Each(byName))
		return
	}
	known := make(map[int64]*user, len(users))
	var some, others db.ContactsLockParams
	some.UserIds, some.Ids, some.Versions = make([]string, 0, len(users)), make([]int64, 0, len(users)), make([]int64, 0, len(users))
	for i, name := range users {
		if u := ld.users[name]; ids[i] != 0 && !u.once {
			known[ids[i]] = u
			some.UserIds, some.Ids, some.Versions = append(some.UserIds, name), append(some.Ids, ids[i]), append(some.Versions, versions[i])
			continue
		}
		others.UserIds, others.Ids, others.Versions = append(others.UserIds, name), append(others.Ids, ids[i]), append(others.Versions, versions[i])
	}
	if len(others.Ids) > 0 {
		q.Add(db.ContactsLock, others.UserIds, others.Ids, others.Versions).Query(pipeline.Each(byName))
	}
	if len(some.Ids) > 0 {
		q.Add(db.ContactsLockKnown, some.UserIds, some.Ids, some.Versions).Query(pipeline.Each(func(row db.ContactsLockKnownRow) { known[row.ID].lock(row) }))
	}
}

// lock sets the contact of the user, as read under the lock.
func (u *user) lock(row db.ContactsLockKnownRow) {
	u.row = row
	u.contact = &u.row
}

// group is a list of users with their contacts.
type group struct {
	users    []string
	contacts []int64
}

func (g *group) add(user string, contact int64) {
	g.users, g.contacts = append(g.users, user), append(g.contacts, contact)
}

func (ld *Loaded) addCurrent(row db.MembershipsCurrentRow) {
	ld.addPrior(db.MembershipsPriorRow(row))
}

// addPrior adds a stay that was read.
func (ld *Loaded) addPrior(row db.MembershipsPriorRow) {
	if b, known := ld.store.Index(row.BucketNo); known { // else it is not of this process
		ld.users[row.UserID].addStay(decide.Stay{
			Bucket: b, EntryCount: int(row.EntryCount), EnteredAt: instant(row.EnteredAt), LeftAt: instant(row.LeftAt), AnchorAt: instant(row.AnchorAt),
			TickedAt: instant(row.TickedAt), Blocked: row.Blocked,
		})
	}
}

// addStay adds the latest stay in a bucket, unless there is one already.
func (u *user) addStay(stay decide.Stay) {
	if !slices.ContainsFunc(u.stays, func(s decide.Stay) bool { return s.Bucket == stay.Bucket }) {
		u.stays = append(u.stays, stay)
	}
}

func (ld *Loaded) addDue(row db.DueOfRow) {
	if row.BucketNo == recheck {
		ld.users[row.UserID].needsRecheck = true
		return
	}
	if b, known := ld.store.Index(row.BucketNo); known {
		u := ld.users[row.UserID]
		due := decide.Due{Bucket: b, At: instant(row.DueAt)}
		if u.fill != nil {
			u.fill.history.AddDue(due)
		} else {
			u.due = append(u.due, due)
		}
	}
}
