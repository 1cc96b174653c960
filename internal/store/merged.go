package store

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Merged is the user whom a user was merged into, with the contact, or 0.
type Merged struct {
	Name    string
	Contact int64
}

// ReadMerged returns the users that users were merged into. A merge is never undone once it is
// committed, unless the user is erased, and then the contact is another.
func (s *Store) ReadMerged(ctx context.Context, conn db.DBTX, users []string) (map[string]Merged, error) {
	rows, err := s.Queries(conn).IdentitiesOf(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("read the merged users: %w", err)
	}
	into := make(map[string]Merged, len(rows))
	for _, row := range rows {
		into[row.Name] = Merged{row.UserID, row.ContactID}
	}
	return into, nil
}

// SetMerged caches that a user was merged into another, once that is committed. What another id
// leads to is not cached: it may become shared, or be unlinked. A shared one stays so.
func (s *Store) SetMerged(user string, into Merged) {
	if resolve.IsReserved(user) && !resolve.IsShared(into.Name) {
		s.cache.Forget(user)
		return
	}
	s.cache.SetMerged(user, into.Name, into.Contact)
}

// SetLinked caches that an event of a day with the ids of two names changes nothing about what they
// lead to, while the user of the first has a contact.
func (s *Store) SetLinked(name, other string, day table.Instant, contact int64) {
	s.cache.SetLinked(name, other, day, contact)
}

// Linked reports whether that is cached of two names, for a day, and of which contact.
func (s *Store) Linked(name, other string, day table.Instant) (contact int64, linked bool) {
	return s.cache.Linked(name, other, day)
}

// ForgetLinks forgets what SetLinked has remembered.
func (s *Store) ForgetLinks() { s.cache.ForgetLinks() }

// Known reports whether a user is cached by a name.
func (s *Store) Known(name string) bool { return s.cache.Known(name) }

// Canonical returns the user that a user was merged into, with the contact, as far as that is
// cached, or the user, and 0.
func (s *Store) Canonical(user string) (name string, contact int64) { return s.cache.Canonical(user) }

// Forget removes a user, or the name of one who was merged, from the cache, and reports whether it
// was there.
func (s *Store) Forget(user string) bool { return s.cache.Forget(user) }
