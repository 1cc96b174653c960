package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// Wanted is what is wanted to be known of one user.
type Wanted struct {
	User      string
	Create    bool             // make a contact of a user who is unknown
	CreatedAt registry.Instant // the time by which it is made
	Events    []string         // names that the user is going to ingest
	Keys      []string         // idempotency keys that may have been used
}

// Lock says how the locks of users are taken.
type Lock struct {
	Wait bool // for users who are locked; otherwise they are passed over
	// Begin starts a transaction by the same round trip, in which no statement waits longer than Timeout for a lock.
	Begin   bool
	Timeout time.Duration
	// Replan makes the plans of the connection's statements anew. See [Replan].
	Replan bool
}

// Facts is what is known of users, whose locks the transaction holds.
type Facts struct {
	// XID identifies the transaction that Lock.Begin started, so that its fate can be asked for when the connection is
	// lost.
	XID string

	store *Store
	users map[string]*user
}

// user is what was read of one user.
type user struct {
	wanted  Wanted
	contact *db.ContactsLockRow // nil if the user was not locked
	created bool
	stays   []decide.Stay
	due     []decide.Due
	seen    []string
	newest  map[registry.Event][]registry.Instant
}

// Load locks users, who must be sorted and different, and reads what is known of them. It takes one round trip.
func (s *Store) Load(ctx context.Context, conn Conn, lock Lock, wanted []Wanted) (*Facts, error) {
	f := &Facts{store: s, users: make(map[string]*user, len(wanted))}
	q := queue{store: s}
	if lock.Replan {
		q.add("discard plans")
	}
	if lock.Begin {
		q.begin(lock.Timeout, &f.XID)
	}
	f.queue(&q, lock, wanted)
	if err := q.send(ctx, conn); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return f, nil
}

// LockDue starts a transaction and takes the locks of users for whom something is due, the longest overdue first, passing
// over those that somebody else holds. It takes one round trip and returns the users, sorted, for Load.
func (s *Store) LockDue(ctx context.Context, conn Conn, replan bool, now registry.Instant, most int) ([]string, error) {
	var users []string
	var xid string
	q := queue{store: s}
	if replan {
		q.add("discard plans")
	}
	q.begin(0, &xid)
	q.add(db.ContactsLockDue, timestamp(now), s.buckets, int32(most)).Query(each(func(user string) { users = append(users, user) }))
	if err := q.send(ctx, conn); err != nil {
		return nil, fmt.Errorf("lock users for whom something is due: %w", err)
	}
	slices.Sort(users)
	return slices.Compact(users), nil
}

func (f *Facts) queue(q *queue, lock Lock, wanted []Wanted) {
	var all, create, keyUsers, keys []string
	var createdAt []pgtype.Timestamptz
	var newest pairs
	for _, w := range wanted {
		f.users[w.User] = &user{wanted: w, newest: map[registry.Event][]registry.Instant{}}
		all = append(all, w.User)
		if w.Create {
			create, createdAt = append(create, w.User), append(createdAt, timestamp(w.CreatedAt))
		}
		for _, key := range w.Keys {
			keyUsers, keys = append(keyUsers, w.User), append(keys, key)
		}
		for _, name := range w.Events {
			if e := f.store.registry.Event(name); e != registry.NoEvent {
				newest.add(w.User, f.store.prefetch[e]...)
			}
		}
	}
	if len(create) > 0 {
		q.add(db.ContactsCreate, create, createdAt).Query(each(func(name string) {
			f.users[name].created = true
		}))
	}
	lockSQL := db.ContactsLock
	if lock.Wait {
		lockSQL = db.ContactsLockWaiting
	}
	q.add(lockSQL, all).Query(each(func(row db.ContactsLockRow) { f.users[row.UserID].contact = &row }))
	q.add(db.MembershipsStanding, all).Query(each(f.addStanding))
	q.add(db.DueOf, all).Query(each(f.addDue))
	if len(keys) > 0 {
		q.add(db.IdempotencyKeysSeen, keyUsers, keys).Query(each(func(row db.IdempotencyKeysSeenRow) {
			u := f.users[row.UserID]
			u.seen = append(u.seen, row.Key)
		}))
	}
	f.queueNewest(q, newest)
}

// LoadMore reads what sessions found lacking, by one more round trip.
func (f *Facts) LoadMore(ctx context.Context, conn Conn, lacks map[string]decide.Lacks) error {
	var newest pairs
	var stayUsers []string
	var stayBuckets []int32
	for name, l := range lacks {
		newest.add(name, l.Events...)
		for _, b := range l.Stays {
			stayUsers, stayBuckets = append(stayUsers, name), append(stayBuckets, f.store.buckets[b])
		}
	}
	q := queue{store: f.store}
	f.queueNewest(&q, newest)
	if len(stayUsers) > 0 {
		q.add(db.MembershipsPrior, stayUsers, stayBuckets).Query(each(f.addPrior))
	}
	if err := q.send(ctx, conn); err != nil {
		return fmt.Errorf("read more facts: %w", err)
	}
	return nil
}

// pairs are users with events whose newest occurrences are wanted.
type pairs struct {
	users  []string
	events []registry.Event
}

func (p *pairs) add(user string, events ...registry.Event) {
	for _, e := range events {
		p.users, p.events = append(p.users, user), append(p.events, e)
	}
}

func (f *Facts) queueNewest(q *queue, p pairs) {
	if len(p.users) == 0 {
		return
	}
	nos, newest := make([]int32, len(p.events)), make([]int32, len(p.events))
	byNo := make(map[int32]registry.Event, len(p.events))
	for i, e := range p.events {
		nos[i], newest[i] = f.store.events[e], int32(f.store.registry.Events[e].Newest)
		byNo[nos[i]] = e
	}
	q.add(db.EventsNewest, p.users, nos, newest).Query(each(func(row db.EventsNewestRow) {
		instants := make([]registry.Instant, len(row.Newest), len(row.Newest)+1)
		for i, t := range row.Newest {
			instants[i] = instant(t)
		}
		f.users[row.UserID].newest[byNo[row.EventNo]] = instants
	}))
}

func (f *Facts) addStanding(row db.MembershipsStandingRow) {
	f.addPrior(db.MembershipsPriorRow(row))
}

func (f *Facts) addPrior(row db.MembershipsPriorRow) {
	b, known := f.store.Index(row.BucketNo)
	if !known {
		return // of a bucket that this process does not have
	}
	u := f.users[row.UserID]
	u.stays = append(u.stays, decide.Stay{
		Bucket: b, Epoch: int(row.Epoch), EnteredAt: instant(row.EnteredAt), LeftAt: instant(row.LeftAt),
		TickedAt: instant(row.TickedAt), Blocked: row.Blocked,
	})
}

func (f *Facts) addDue(row db.DueOfRow) {
	if b, known := f.store.Index(row.BucketNo); known {
		u := f.users[row.UserID]
		u.due = append(u.due, decide.Due{Bucket: b, At: instant(row.DueAt)})
	}
}

// Locked reports whether the transaction holds the lock of a user. It does not if somebody else has it, or if the user
// is unknown.
func (f *Facts) Locked(name string) bool { return f.users[name].contact != nil }

// Contact returns the id of a user who is locked.
func (f *Facts) Contact(name string) int64 { return f.users[name].contact.ID }

// State returns the state of a user who is locked, as it was read: a fresh one at each call.
func (f *Facts) State(name string) (*decide.State, error) {
	u := f.users[name]
	facts := f.store.registry.NewFacts()
	st := &decide.State{
		Contact: decide.Contact{New: u.created, Deleted: u.contact.DeletedAt.Valid, UpdatedAt: instant(u.contact.UpdatedAt)},
		Facts:   facts,
		Stays:   append([]decide.Stay(nil), u.stays...),
		Due:     append([]decide.Due(nil), u.due...),
		Seen:    append([]string(nil), u.seen...),
	}
	if u.contact.Email != nil {
		st.Contact.Email = *u.contact.Email
	}
	if u.created { // by this transaction: there is nothing to be known
		st.Complete = true
		facts.Complete()
		return st, nil
	}
	properties, err := payload.Parse("properties of user "+name, u.contact.Properties, math.MaxInt)
	if err != nil {
		return nil, fmt.Errorf("read what is stored: %w", err)
	}
	st.Contact.Properties = properties
	for _, field := range properties.Fields {
		if p, declared := f.store.registry.Property(field.Key); declared {
			facts.SetProperty(p, field.Value)
		}
	}
	for e, newest := range u.newest {
		facts.SetOccurrences(e, append([]registry.Instant(nil), newest...))
	}
	return st, nil
}
