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

// Wanted is what is wanted to be known of one user.
type Request struct {
	User      string
	Create    bool            // make a contact of a user who is unknown
	CreatedAt table.Instant   // the time by which it is made
	Events    []*decide.Event // that the user is going to ingest

	// Contact is the id of a user who is going to follow a deployment, and was not asked for before, or whose lock the
	// transaction took because something is due; 0 of others.
	Contact int64
	Due     []table.BucketIndex // what is due, as far as it is a bucket of this process; not nil if anything is
}

// follows reports whether the user is going to follow a deployment: most of those are not asked for again.
func (req *Request) follows() bool { return req.Contact != 0 && req.Due == nil }

// Load locks users, who must be sorted and different, and reads what is known of them. It takes one round trip.
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

// loadAgain reads what is known of those users of whom what was thought turns out not to be so: somebody else has written
// since, or they are another contact, because somebody removed that one by hand.
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
		if removed || tooMuch || u.cached.History != nil && !ld.store.cache.Trusts(u.cached, u.contact.Holder) {
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

// guess returns which contact a user was taken for before the lock was held, or 0.
func (ld *Loaded) guess(req *Request) int64 {
	if u := ld.users[req.User]; u.cached.Properties != nil {
		return u.cached.Properties.ContactID
	}
	return req.Contact
}

// contactOf returns the id of a user who is locked or remembered, or 0.
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

// LockDue starts a transaction and takes the locks of users for whom something is due, the longest overdue first, passing
// over those that somebody else holds. It takes one round trip and returns the users, for Load, which wants them sorted.
func (s *Store) LockDue(ctx context.Context, conn Conn, replan bool, now table.Instant, most int) ([]Request, error) {
	var requests []Request
	places := map[int64]int{}
	var xid string
	q := s.batch()
	s.begin(q, 0, CommitToken{}, &xid) // before anything else: the isolation level of a transaction cannot be set later
	if replan {
		q.Add("discard plans")
	}
	d := s.deployment.Load()
	q.Add(db.ContactsLockDue, timestamp(now), d.Active, d.activeSince, int32(most)).Query(pipeline.Each(func(row db.ContactsLockDueRow) {
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
		return nil, fmt.Errorf("lock users for whom something is due: %w", err)
	}
	return requests, nil
}

// settle finds out what the properties of a user are, now that the lock is held.
func (ld *Loaded) resolveProperties(req *Request) error {
	u := ld.users[req.User]
	if u.fill != nil {
		u.cached.History = u.fill.history
	}
	switch {
	case u.contact == nil:
		// Whoever is remembered and not there may have gone for good.
		ld.store.cache.Forget(req.User)
		return nil
	case u.contact.Properties == nil: // they are those that are remembered
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
