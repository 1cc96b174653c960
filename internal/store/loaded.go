package store

import (
	"maps"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Loaded is what a transaction has read of its users. It holds their locks unless it is read-only.
type Loaded struct {
	// XID identifies the transaction that [BeginAndLock] started, for [Store.CommitStatus].
	XID string

	store      *Store
	users      map[string]*user
	generation int32 // generation is the number of the last deployment
	deployment *Deployment
	cacheOwner int64         // cacheOwner is that of the cache; 0 if it can own no history
	time       table.Instant // time is the database's, read after the locks were taken
	erased     bool          // erased says that a user was erased while the transaction created them
}

// user is what was read of one user.
type user struct {
	cached         usercache.View // cached is from before the lock; once Load returns, it is true
	properties     payload.Properties
	changes        []table.LastChange               // changes are read with the properties
	dated          map[string]decide.PropertyChange // dated are keyed by property name
	contact        *db.ContactsLockKnownRow         // contact is nil if the user was skipped
	row            db.ContactsLockKnownRow          // row is what contact points to
	created        bool                             // created by this transaction
	life           int32                            // life is that of a contact that was created
	lastEvent      table.Instant
	lastEventKnown bool
	suppressed     bool // suppressed says that the id is refused
	stays          []decide.Stay
	due            []decide.Due
	seen           []string             // seen are idempotency keys that were used before
	oldest         map[table.Need]int   // oldest is how many occurrences were read with each sum
	reaches        map[table.Need]reach // reaches is how far each past window was read
	apply          []func(*table.Facts) // apply adds what was read to the facts of a session
	once           bool                 // once says not to add the user to the cache
	fill           *fill                // fill is the history that is read to be cached; or nil
	needsRecheck   bool                 // needsRecheck: an older process changed the user
	rebuilt        *rebuilt             // rebuilt is what was derived anew from the log; or nil
}

// Locked reports whether the user was loaded. A user is not if another transaction holds the lock
// and the mode does not wait, or if there is no such user.
func (ld *Loaded) Locked(name string) bool { return ld.users[name].contact != nil }

// Contact returns the id of a loaded user.
func (ld *Loaded) Contact(name string) int64 { return ld.users[name].contact.ID }

// State makes st the state of a loaded user, as it was read. It reuses the memory of st, whose
// former content is gone.
func (ld *Loaded) State(name string, st *decide.State) {
	u := ld.users[name]
	facts := st.Facts
	if facts == nil {
		facts = &table.Facts{}
	}
	ld.store.registry.ReuseFacts(facts, name, u.cached.Properties.Values)
	facts.SetLastChanges(u.cached.Properties.Changes)
	*st = decide.State{
		Contact: decide.Contact{
			New: u.created, Visitor: resolve.IsVisitor(name), Deleted: u.contact.DeletedAt.Valid, UpdatedAt: instant(u.contact.UpdatedAt), Properties: u.properties,
			DecidedAt: instant(u.contact.DecidedAt), Life: lifeOf(u.contact.Life),
			WrittenAt: written(u.contact), Repeats: u.cached.Properties.Repeats,
		},
		Changes:   maps.Clone(u.dated),
		Facts:     facts,
		Stays:     append(st.Stays[:0], u.stays...),
		AllStays:  u.cached.History != nil,
		Due:       append(st.Due[:0], u.due...),
		Seen:      append(st.Seen[:0], u.seen...),
		LastEvent: u.lastEvent, LastEventKnown: u.lastEventKnown,
		Complete: u.created, // the database has nothing about the user
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
	for _, apply := range u.apply {
		apply(facts)
	}
	if u.rebuilt != nil {
		u.rebuilt.applyTo(facts)
	}
}

// historyKnown reports whether the user's history is cached, or is read to be cached.
func (u *user) historyKnown() bool { return u.cached.History != nil || u.fill != nil }

// owns reports whether this engine owns the cached history of a user once the transaction has
// committed: it knows the whole history, and the deployed definitions are its own.
func (ld *Loaded) owns(u *user) bool {
	return ld.cacheOwner != 0 && !u.once && (u.cached.History != nil || u.created) && u.rebuilt == nil && ld.deployment.Agreed
}

// claim claims a user in the cache, as of the end of the transaction. It returns false for a user
// whom the cache is not going to hold. The transaction has patched the contact, or made this engine
// the owner of the history, or neither.
func (ld *Loaded) claim(u *user, st *decide.State, name string, patched, owned bool) (usercache.Claim, bool) {
	claim, claimed := ld.store.cache.Claim(name, u.once)
	if !claimed {
		return usercache.Claim{}, false
	}
	claim.Properties, claim.TooLarge = u.cached.Properties, u.cached.TooLarge
	if patched {
		claim.Properties = &usercache.Properties{
			ContactID: u.contact.ID, Version: u.contact.Version + 1, WrittenAt: st.Contact.WrittenAt,
			Raw: st.Contact.Properties.Raw(), Values: st.Facts.Values(), Changes: st.Facts.LastChanges(), Repeats: st.Contact.Repeats,
		}
	}
	if owned {
		history := u.cached.History
		if history == nil { // the transaction created the user
			history = ld.store.cache.NewHistory(true)
		}
		claim.History = history.After(st)
	}
	return claim, true
}

// Remember caches the users of a write. Its transaction must have been committed.
func (ld *Loaded) Remember(w *Write) {
	for i := range w.claims {
		w.claims[i].Commit()
	}
	if w.ids.detached {
		ld.store.Detached()
	}
}

// Merged reports whether a user was merged into another.
func (ld *Loaded) Merged(name string) bool {
	c := ld.users[name].contact
	return c != nil && c.MergedAt.Valid
}

// Deleted reports whether a loaded user is deleted.
func (ld *Loaded) Deleted(name string) bool { return ld.users[name].contact.DeletedAt.Valid }

// Properties returns the properties of a loaded user.
func (ld *Loaded) Properties(name string) payload.Properties { return ld.users[name].properties }

// Created reports whether the transaction made the contact of a user.
func (ld *Loaded) Created(name string) bool { return ld.users[name].created }

// Options adds the deployment to the options of a session with a loaded user.
func (ld *Loaded) Options(name string, o decide.Options) decide.Options {
	u := ld.users[name]
	o = ld.deployment.options(o, u.generations())
	if u.created {
		o.Steps = nil // a deployment in the meantime did not concern the user
	}
	return o
}

// Deployment returns the deployment that the users were loaded by.
func (ld *Loaded) Deployment() *Deployment { return ld.deployment }

// generations returns how far a loaded user has come in the deployments.
func (u *user) generations() generations {
	if u.contact.ForeignGeneration == nil {
		return generations{u.contact.Generation, many}
	}
	return generations{u.contact.Generation, *u.contact.ForeignGeneration}
}
