package store

import (
	"maps"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/usercache"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Facts is what is known of users, whose locks the transaction holds unless it took none.
type Loaded struct {
	// XID identifies the transaction that BeginAndLock started, so that its fate can be asked for when the connection is
	// lost.
	XID string

	store      *Store
	users      map[string]*user
	generation int32
	deployment *Deployment
	cacheOwner int64 // by which contacts say that this engine holds them; 0: it is to hold none

	time table.Instant // by the database's clock, read after the locks were taken
}

// user is what was read of one user.
type user struct {
	cached       usercache.View // cached is from before the lock; once Load returns, it is true
	properties   payload.Properties
	changes      []table.LastChange               // of users whose properties were read
	dated        map[string]decide.PropertyChange // last changes that were asked for, by the names of the properties
	contact      *db.ContactsLockKnownRow         // nil if the user was passed over
	row          db.ContactsLockKnownRow          // where contact points to
	created      bool
	stays        []decide.Stay
	due          []decide.Due
	seen         []string
	oldest       map[table.Need]int   // how many occurrences were asked for with each sum
	reaches      map[table.Need]reach // how far each stretch was asked for
	apply        []func(*table.Facts) // facts that were read; each tells them
	once         bool                 // the user is not to be remembered: many come by once
	fill         *fill                // fill is the history that is read to be cached; nil: it is not
	needsRecheck bool                 // a process that has other definitions has changed the user
	rebuilt      *rebuilt             // what is kept, if that had to be made anew
}

// Locked reports whether the transaction holds the lock of a user, or has read them without one where it takes none. It
// does not if somebody else has it, or if the user is unknown.
func (ld *Loaded) Locked(name string) bool { return ld.users[name].contact != nil }

// Contact returns the id of a user who is locked.
func (ld *Loaded) Contact(name string) int64 { return ld.users[name].contact.ID }

// State lets a state be that of a user who is locked, as it was read, in the memory that it has. What it was before is gone.
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
	for _, apply := range u.apply {
		apply(facts)
	}
	if u.rebuilt != nil {
		u.rebuilt.applyTo(facts)
	}
}

// historyKnown reports whether the user's history is cached, or is read to be cached.
func (u *user) historyKnown() bool { return u.cached.History != nil || u.fill != nil }

// holds reports whether the engine is to hold a user once what was decided is committed, so that it remembers them: if it
// knows all of them, and what is deployed is what it has.
func (ld *Loaded) owns(u *user) bool {
	return ld.cacheOwner != 0 && !u.once && (u.cached.History != nil || u.created) && u.rebuilt == nil && ld.deployment.Agreed
}

// claim claims a user in the cache, as of the end of the transaction. It returns false for a user whom
// the cache is not going to hold. The transaction has patched the contact, or made this engine the owner
// of the history, or neither.
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
}

// Merged reports whether a user is no more than a name of another, into whom they were merged.
func (ld *Loaded) Merged(name string) bool {
	c := ld.users[name].contact
	return c != nil && c.MergedAt.Valid
}

// Deleted reports whether a user is deleted who is locked.
func (ld *Loaded) Deleted(name string) bool { return ld.users[name].contact.DeletedAt.Valid }

// Properties returns the properties of a user who is locked.
func (ld *Loaded) Properties(name string) payload.Properties { return ld.users[name].properties }

// Created reports whether the transaction has created a user.
func (ld *Loaded) Created(name string) bool { return ld.users[name].created }

// Options adds to those of a session what is deployed, for a user who is locked.
func (ld *Loaded) Options(name string, o decide.Options) decide.Options {
	u := ld.users[name]
	o = ld.deployment.options(o, u.generations())
	if u.created {
		o.Steps = nil // whoever deployed something in the meantime did not know the user
	}
	return o
}

// Deployment returns what is deployed.
func (ld *Loaded) Deployment() *Deployment { return ld.deployment }

// standing returns how far a user has come who is locked.
func (u *user) generations() generations {
	if u.contact.Stranger == nil {
		return generations{u.contact.Generation, many}
	}
	return generations{u.contact.Generation, *u.contact.Stranger}
}
