package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry"
)

// Wanted is what is wanted to be known of one user.
type Wanted struct {
	User      string
	Create    bool             // make a contact of a user who is unknown
	CreatedAt registry.Instant // the time by which it is made
	Events    []*decide.Event  // that the user is going to ingest

	// Contact is the id of a user who is going to follow a deployment, and was not asked for before, or whose lock the
	// transaction took because something is due; 0 of others.
	Contact int64
	Due     []registry.Index // what is due, as far as it is a bucket of this process; not nil if anything is
}

// follows reports whether the user is going to follow a deployment: most of those are not asked for again.
func (w *Wanted) follows() bool { return w.Contact != 0 && w.Due == nil }

// Facts is what is known of users, whose locks the transaction holds unless it took none.
type Facts struct {
	// XID identifies the transaction that BeginAndLock started, so that its fate can be asked for when the connection is
	// lost.
	XID string

	store      *Store
	users      map[string]*user
	generation int32
	deployment *Deployment
	holder     int64 // by which contacts say that this engine holds them; 0: it is to hold none

	time registry.Instant // by the database's clock, read after the locks were taken
}

// user is what was read of one user.
type user struct {
	cached     usercache.View // cached is from before the lock; once Load returns, it is true
	properties payload.Properties
	changes    []registry.Change                // of users whose properties were read
	dated      map[string]decide.PropertyChange // last changes that were asked for, by the names of the properties
	contact    *db.ContactsLockKnownRow         // nil if the user was passed over
	row        db.ContactsLockKnownRow          // where contact points to
	created    bool
	stays      []decide.Stay
	due        []decide.Due
	seen       []string
	oldest     map[registry.Need]int   // how many occurrences were asked for with each sum
	reaches    map[registry.Need]reach // how far each stretch was asked for
	learnt     []func(*registry.Facts) // facts that were read; each tells them
	once       bool                    // the user is not to be remembered: many come by once
	fill       *fill                   // fill is the history that is read to be cached; nil: it is not
	queued     bool                    // a process that has other definitions has changed the user
	remade     *remade                 // what is kept, if that had to be made anew
}

// Load locks users, who must be sorted and different, and reads what is known of them. It takes one round trip.
func (s *Store) Load(ctx context.Context, conn Conn, mode LoadMode, wanted []Wanted) (*Facts, error) {
	f := &Facts{store: s, users: make(map[string]*user, len(wanted))}
	q := queue{store: s}
	switch {
	case mode.begin && mode.free:
		q.add("begin isolation level repeatable read, read only")
	case mode.begin:
		q.begin(mode.timeout, mode.mark, &f.XID)
	}
	if mode.replan {
		q.add("discard plans")
	}
	f.queue(&q, mode, wanted, !mode.free && !mode.provisional)
	if err := q.send(ctx, conn); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	if !mode.free {
		f.holder = s.cache.Owner()
	}
	if err := f.loadAgain(ctx, conn, mode, wanted); err != nil {
		return nil, err
	}
	for i := range wanted {
		if err := f.settle(&wanted[i]); err != nil {
			return nil, err
		}
	}
	f.deployment = mode.view
	if f.deployment == nil {
		var err error
		if f.deployment, err = s.deployed(ctx, conn, f.generation); err != nil {
			return nil, err
		}
	}
	return f, f.remake(ctx, conn, mode.rebuild)
}

// loadAgain reads what is known of those users of whom what was thought turns out not to be so: somebody else has written
// since, or they are another contact, because somebody removed that one by hand.
func (f *Facts) loadAgain(ctx context.Context, conn Conn, mode LoadMode, wanted []Wanted) error {
	var others, much []Wanted
	for _, w := range wanted {
		u := f.users[w.User]
		if u.contact == nil {
			continue
		}
		guess := f.guess(&w)
		removed := guess != 0 && guess != u.contact.ID
		if removed {
			f.store.cache.Forget(w.User)
			w.Contact = 0
		}
		tooMuch := u.fill != nil && u.fill.tooLarge()
		if tooMuch {
			much = append(much, w)
		}
		if removed || tooMuch || u.cached.History != nil && !f.store.cache.Trusts(u.cached, u.contact.Holder) {
			others = append(others, w)
		}
	}
	if len(others) == 0 {
		return nil
	}
	q := queue{store: f.store}
	f.queue(&q, mode, others, false)
	if err := q.send(ctx, conn); err != nil {
		return fmt.Errorf("read facts again: %w", err)
	}
	for _, w := range much {
		f.users[w.User].cached.TooLarge = true
	}
	return nil
}

// guess returns which contact a user was taken for before the lock was held, or 0.
func (f *Facts) guess(w *Wanted) int64 {
	if u := f.users[w.User]; u.cached.Properties != nil {
		return u.cached.Properties.ContactID
	}
	return w.Contact
}

// contactOf returns the id of a user who is locked or remembered, or 0.
func (f *Facts) contactOf(name string) int64 {
	switch u := f.users[name]; {
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
func (s *Store) LockDue(ctx context.Context, conn Conn, replan bool, now registry.Instant, most int) ([]Wanted, error) {
	var users []Wanted
	places := map[int64]int{}
	var xid string
	q := queue{store: s}
	q.begin(0, Mark{}, &xid) // before anything else: the isolation level of a transaction cannot be set later
	if replan {
		q.add("discard plans")
	}
	d := s.deployment.Load()
	q.add(db.ContactsLockDue, timestamp(now), d.Active, d.activeSince, int32(most)).Query(each(func(row db.ContactsLockDueRow) {
		i, known := places[row.ID]
		if !known {
			i, places[row.ID] = len(users), len(users)
			users = append(users, Wanted{User: row.UserID, CreatedAt: now, Contact: row.ID, Due: []registry.Index{}})
		}
		if b, known := s.Index(row.BucketNo); known {
			users[i].Due = append(users[i].Due, b)
		}
	}))
	if err := q.send(ctx, conn); err != nil {
		return nil, fmt.Errorf("lock users for whom something is due: %w", err)
	}
	return users, nil
}

// LoadMore reads what sessions found lacking, by one more round trip.
func (f *Facts) LoadMore(ctx context.Context, conn Conn, lacks map[string]decide.Lacks) error {
	var more further
	for name, l := range lacks {
		more.need(name, l.Facts...)
		more.stay(name, l.Stays...)
		for _, p := range l.Properties {
			more.property(name, p)
		}
	}
	q := queue{store: f.store}
	f.queueFurther(&q, &more)
	if err := q.send(ctx, conn); err != nil {
		return fmt.Errorf("read more facts: %w", err)
	}
	return nil
}

func (f *Facts) addStanding(row db.MembershipsStandingRow) {
	f.addPrior(db.MembershipsPriorRow(row))
}

func (f *Facts) addPrior(row db.MembershipsPriorRow) {
	if b, known := f.store.Index(row.BucketNo); known { // otherwise this process does not have the bucket
		f.users[row.UserID].addStay(decide.Stay{
			Bucket: b, Epoch: int(row.Epoch), EnteredAt: instant(row.EnteredAt), LeftAt: instant(row.LeftAt), AnchorAt: instant(row.AnchorAt),
			TickedAt: instant(row.TickedAt), Blocked: row.Blocked,
		})
	}
}

// addStay adds what is known of the latest stay in a bucket, unless that is known already.
func (u *user) addStay(stay decide.Stay) {
	if !slices.ContainsFunc(u.stays, func(s decide.Stay) bool { return s.Bucket == stay.Bucket }) {
		u.stays = append(u.stays, stay)
	}
}

func (f *Facts) addDue(row db.DueOfRow) {
	if row.BucketNo == queued {
		f.users[row.UserID].queued = true
		return
	}
	if b, known := f.store.Index(row.BucketNo); known {
		u := f.users[row.UserID]
		due := decide.Due{Bucket: b, At: instant(row.DueAt)}
		if u.fill != nil {
			u.fill.history.AddDue(due)
		} else {
			u.due = append(u.due, due)
		}
	}
}

// settle finds out what the properties of a user are, now that the lock is held.
func (f *Facts) settle(w *Wanted) error {
	u := f.users[w.User]
	if u.fill != nil {
		u.cached.History = u.fill.history
	}
	switch {
	case u.contact == nil:
		// Whoever is remembered and not there may have gone for good.
		f.store.cache.Forget(w.User)
		return nil
	case u.contact.Properties == nil: // they are those that are remembered
		u.properties = payload.Remember(u.cached.Properties.Raw)
		return nil
	}
	properties, err := payload.StoredProperties(u.contact.Properties)
	if err != nil {
		return fmt.Errorf("read the properties of user %q: %w", w.User, err)
	}
	facts := f.store.registry.NewFacts(w.User)
	for _, field := range properties.Fields() {
		if p, declared := f.store.registry.Property(field.Key); declared {
			facts.SetProperty(p, field.Whole())
		}
	}
	f.store.cache.Intern(facts.Values().Own())
	repeats, err := f.store.repeats(u.contact.Repeats)
	if err != nil {
		return fmt.Errorf("read when properties of user %q were sent again: %w", w.User, err)
	}
	u.cached.Properties = &usercache.Properties{
		ContactID: u.contact.ID, Version: u.contact.Version, WrittenAt: written(u.contact),
		Raw: u.contact.Properties, Values: facts.Values(), Changes: u.changes, Repeats: repeats,
	}
	u.properties = properties
	return nil
}

// Locked reports whether the transaction holds the lock of a user, or has read them without one where it takes none. It
// does not if somebody else has it, or if the user is unknown.
func (f *Facts) Locked(name string) bool { return f.users[name].contact != nil }

// Contact returns the id of a user who is locked.
func (f *Facts) Contact(name string) int64 { return f.users[name].contact.ID }

// State lets a state be that of a user who is locked, as it was read, in the memory that it has. What it was before is gone.
func (f *Facts) State(name string, st *decide.State) {
	u := f.users[name]
	facts := st.Facts
	if facts == nil {
		facts = &registry.Facts{}
	}
	f.store.registry.ReuseFacts(facts, name, u.cached.Properties.Values)
	facts.SetChanges(u.cached.Properties.Changes)
	*st = decide.State{
		Contact: decide.Contact{
			New: u.created, Deleted: u.contact.DeletedAt.Valid, UpdatedAt: instant(u.contact.UpdatedAt), Properties: u.properties,
			DecidedAt: instant(u.contact.DecidedAt),
			WrittenAt: written(u.contact), Repeats: u.cached.Properties.Repeats,
		},
		Changes:  maps.Clone(u.dated),
		Facts:    facts,
		Stays:    append(st.Stays[:0], u.stays...),
		AllStays: u.cached.History != nil,
		Due:      append(st.Due[:0], u.due...),
		Seen:     append(st.Seen[:0], u.seen...),
		Complete: u.created, // by this transaction: there is nothing to be known
	}
	if h := u.cached.History; h != nil {
		st.Stays, st.Due = h.AppendStays(st.Stays[:0]), h.AppendDue(st.Due[:0])
		facts.SetMemory(h)
	}
	if u.contact.Email != nil {
		st.Contact.Email = *u.contact.Email
	}
	if u.created {
		facts.Complete()
	}
	for _, tell := range u.learnt {
		tell(facts)
	}
	if u.remade != nil {
		u.remade.tell(facts)
	}
}

// historyKnown reports whether the user's history is cached, or is read to be cached.
func (u *user) historyKnown() bool { return u.cached.History != nil || u.fill != nil }

// holds reports whether the engine is to hold a user once what was decided is committed, so that it remembers them: if it
// knows all of them, and what is deployed is what it has.
func (f *Facts) holds(u *user) bool {
	return f.holder != 0 && !u.once && (u.cached.History != nil || u.created) && u.remade == nil && f.deployment.Agreed
}

// claim claims a user in the cache, as of the end of the transaction. It returns false for a user whom
// the cache is not going to hold. The transaction has patched the contact, or made this engine the owner
// of the history, or neither.
func (f *Facts) claim(u *user, st *decide.State, name string, patched, owned bool) (usercache.Claim, bool) {
	claim, claimed := f.store.cache.Claim(name, u.once)
	if !claimed {
		return usercache.Claim{}, false
	}
	claim.Properties, claim.TooLarge = u.cached.Properties, u.cached.TooLarge
	if patched {
		claim.Properties = &usercache.Properties{
			ContactID: u.contact.ID, Version: u.contact.Version + 1, WrittenAt: st.Contact.WrittenAt,
			Raw: st.Contact.Properties.Raw(), Values: st.Facts.Values(), Changes: st.Facts.Changes(), Repeats: st.Contact.Repeats,
		}
	}
	if owned {
		history := u.cached.History
		if history == nil { // the transaction created the user
			history = f.store.cache.NewHistory(true)
		}
		claim.History = history.After(st)
	}
	return claim, true
}

// Remember caches the users of a write. Its transaction must have been committed.
func (f *Facts) Remember(w *Write) {
	for i := range w.claims {
		w.claims[i].Commit()
	}
}
