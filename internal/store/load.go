package store

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Request says what to load of one user.
type Request struct {
	User      string
	Create    bool            // Create makes a contact for a user who has none
	CreatedAt table.Instant   // CreatedAt is the time of that, and of prefetched facts
	Events    []*decide.Event // Events are those that the user is about to ingest

	// Attach are ids that become the user's.
	Attach []ID

	// Seen are ids of the user that the events have, and that were seen last on an earlier day.
	Seen []string

	// Contact is the id of a user whom a job or [Store.LockDue] has read; 0 for others.
	Contact int64

	// Due are the buckets that are due, of those that this process has. It is not nil if the
	// request comes from [Store.LockDue].
	Due []table.BucketIndex
}

// follows reports whether the request comes from a job that goes through all users. Most of them
// are not loaded again soon.
func (req *Request) follows() bool { return req.Contact != 0 && req.Due == nil }

// Load locks users and reads what is known of them, by one round trip. Requests are sorted by user,
// and no two are for the same one.
func (s *Store) Load(ctx context.Context, conn Conn, mode LoadMode, requests []Request) (*Loaded, error) {
	ld := &Loaded{store: s, users: make(map[string]*user, len(requests))}
	q := s.batch()
	switch {
	case mode.begin && mode.free:
		q.Add("begin isolation level repeatable read, read only")
	case mode.begin:
		s.begin(q, mode.timeout, mode.token, &ld.XID)
	}
	if mode.replan {
		q.Add("discard plans")
	}
	ld.queueLoad(q, mode, requests, !mode.free && !mode.provisional)
	if err := q.Send(ctx, conn); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	if ld.erased {
		return nil, errErased
	}
	if !mode.free {
		ld.cacheOwner = s.cache.Owner()
	}
	if err := ld.loadAgain(ctx, conn, mode, requests); err != nil {
		return nil, err
	}
	for i := range requests {
		if err := ld.resolveProperties(&requests[i]); err != nil {
			return nil, err
		}
	}
	ld.deployment = mode.view
	if ld.deployment == nil {
		var err error
		if ld.deployment, err = s.deploymentOf(ctx, conn, ld.generation); err != nil {
			return nil, err
		}
	}
	return ld, ld.rebuild(ctx, conn, mode.rebuild)
}

// loadAgain reads everything about users whose cached view turned out to be wrong under the lock:
// another engine has written since, or the contact is another one because the former was removed by
// hand. It takes one round trip, if there are any.
func (ld *Loaded) loadAgain(ctx context.Context, conn Conn, mode LoadMode, requests []Request) error {
	var others, much []Request
	for _, req := range requests {
		u := ld.users[req.User]
		if u.contact == nil {
			continue
		}
		guess := ld.guess(&req)
		removed := guess != 0 && guess != u.contact.ID
		if removed {
			ld.store.cache.Forget(req.User)
			req.Contact = 0
		}
		tooMuch := u.fill != nil && u.fill.tooLarge()
		if tooMuch {
			much = append(much, req)
		}
		if removed || tooMuch || u.cached.History != nil && !ld.store.cache.Trusts(u.cached, u.contact.CacheOwner) {
			others = append(others, req)
		}
	}
	if len(others) == 0 {
		return nil
	}
	q := ld.store.batch()
	ld.queueLoad(q, mode, others, false)
	if err := q.Send(ctx, conn); err != nil {
		return fmt.Errorf("read facts again: %w", err)
	}
	for _, req := range much {
		ld.users[req.User].cached.TooLarge = true
	}
	return nil
}

// guess returns the contact that a user was taken for before the lock, or 0.
func (ld *Loaded) guess(req *Request) int64 {
	if u := ld.users[req.User]; u.cached.Properties != nil {
		return u.cached.Properties.ContactID
	}
	return req.Contact
}

// contactOf returns the contact of a user who is locked or cached, or 0.
func (ld *Loaded) contactOf(name string) int64 {
	switch u := ld.users[name]; {
	case u.contact != nil:
		return u.contact.ID
	case u.cached.Properties != nil:
		return u.cached.Properties.ContactID
	default:
		return 0
	}
}

// Due are users for whom something is due.
type Due struct {
	Requests []Request
	Last     table.Instant // Last is the latest of their due instants, if there may be more; else Unset
}

// LockDue starts a transaction and locks users for whom something is due, from an instant on, or
// Unset, the longest overdue first. It skips users who are locked. It takes one round trip. Load
// takes the requests once they are sorted.
func (s *Store) LockDue(ctx context.Context, conn Conn, replan bool, from, now table.Instant, most int) (Due, error) {
	var requests []Request
	rows, last := 0, table.Unset
	places := map[int64]int{}
	var xid string
	q := s.batch()
	s.begin(q, 0, CommitToken{}, &xid) // first, as it sets the isolation level
	if replan {
		q.Add("discard plans")
	}
	d := s.deployment.Load()
	q.Add(db.ContactsLockDue, timestamp(from), timestamp(now), d.Active, d.activeSince, int32(most)).Query(pipeline.Each(func(row db.ContactsLockDueRow) {
		rows, last = rows+1, instant(row.DueAt)
		i, known := places[row.ID]
		if !known {
			i, places[row.ID] = len(requests), len(requests)
			requests = append(requests, Request{User: row.UserID, CreatedAt: now, Contact: row.ID, Due: []table.BucketIndex{}})
		}
		if b, known := s.Index(row.BucketNo); known {
			requests[i].Due = append(requests[i].Due, b)
		}
	}))
	if err := q.Send(ctx, conn); err != nil {
		return Due{}, fmt.Errorf("lock users for whom something is due: %w", err)
	}
	if rows < most {
		last = table.Unset
	}
	return Due{requests, last}, nil
}

// resolveProperties sets the properties of a user, under the lock: the cached ones, or those that
// were read because their version is another one.
func (ld *Loaded) resolveProperties(req *Request) error {
	u := ld.users[req.User]
	if u.fill != nil {
		u.cached.History = u.fill.history
	}
	switch {
	case u.contact == nil: // another transaction holds the lock, or the contact was removed
		ld.store.cache.Forget(req.User)
		return nil
	case u.contact.Properties == nil: // the version is that of the cached ones
		u.properties = payload.Remember(u.cached.Properties.Raw)
		return nil
	}
	properties, err := payload.StoredProperties(u.contact.Properties)
	if err != nil {
		return fmt.Errorf("read the properties of user %q: %w", req.User, err)
	}
	facts := ld.store.registry.NewFacts(req.User)
	for _, field := range properties.Fields() {
		if p, declared := ld.store.registry.Property(field.Key); declared {
			facts.SetProperty(p, field.Whole())
		}
	}
	ld.store.cache.Intern(facts.Values().Own())
	repeats, err := ld.store.repeats(u.contact.Repeats)
	if err != nil {
		return fmt.Errorf("read when properties of user %q were sent again: %w", req.User, err)
	}
	u.cached.Properties = &usercache.Properties{
		ContactID: u.contact.ID, Version: u.contact.Version, WrittenAt: written(u.contact),
		Raw: u.contact.Properties, Values: facts.Values(), Changes: u.changes, Repeats: repeats,
	}
	u.properties = properties
	return nil
}
