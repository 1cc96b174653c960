package store

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
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
		names[row.Value] = row.UserID
	}
	return names, nil
}

// SetMerged caches that a user was merged into another, once that is committed.
func (s *Store) SetMerged(user, name string) { s.cache.SetMerged(user, name) }

// Canonical returns the user that a user was merged into, as far as that is cached, or the user.
func (s *Store) Canonical(user string) string { return s.cache.Canonical(user) }

// Forget removes a user, or the name of one who was merged, from the cache, and reports whether it
// was there.
func (s *Store) Forget(user string) bool { return s.cache.Forget(user) }
