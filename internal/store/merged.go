package store

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// ReadMerged returns the users that users were merged into. A merge is never undone once it is
// committed.
func (s *Store) ReadMerged(ctx context.Context, conn db.DBTX, users []string) (map[string]string, error) {
	rows, err := s.Queries(conn).IdentitiesOf(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("read the merged users: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, row := range rows {
		names[row.Name] = row.UserID
	}
	return names, nil
}

// SetMerged caches that a user was merged into another, once that is committed. What another id
// leads to is not cached: it may become shared, or be unlinked. A shared one stays so.
func (s *Store) SetMerged(user, name string) {
	if resolve.IsReserved(user) && !resolve.IsShared(name) {
		s.cache.Forget(user)
		return
	}
	s.cache.SetMerged(user, name)
}

// SetLinked caches that an event of a day with the ids of two names changes nothing about what they
// lead to.
func (s *Store) SetLinked(name, other string, day table.Instant) {
	s.cache.SetLinked(name, other, day)
}

// Linked reports whether that is cached of two names, for a day.
func (s *Store) Linked(name, other string, day table.Instant) bool {
	return s.cache.Linked(name, other, day)
}

// ForgetLinks forgets what SetLinked has remembered.
func (s *Store) ForgetLinks() { s.cache.ForgetLinks() }

// Known reports whether a user is cached by a name.
func (s *Store) Known(name string) bool { return s.cache.Known(name) }

// Canonical returns the user that a user was merged into, as far as that is cached, or the user.
func (s *Store) Canonical(user string) string { return s.cache.Canonical(user) }

// Forget removes a user, or the name of one who was merged, from the cache, and reports whether it
// was there.
func (s *Store) Forget(user string) bool { return s.cache.Forget(user) }
