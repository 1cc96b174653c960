package store

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
)

// Renamed returns the names by which users go who were merged into others, and remembers them: nobody is ever parted again.
func (s *Store) ReadMerged(ctx context.Context, conn db.DBTX, users []string) (map[string]string, error) {
	rows, err := s.Queries(conn).IdentitiesOf(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("read the names of users who were merged: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, row := range rows {
		names[row.Value] = row.UserID
		s.SetMerged(row.Value, row.UserID)
	}
	return names, nil
}

// Rename remembers that a user was merged into another, once that is committed.
func (s *Store) SetMerged(user, name string) { s.cache.SetMerged(user, name) }

// Name returns the name by which a user goes, as far as is remembered.
func (s *Store) Canonical(user string) string { return s.cache.Canonical(user) }
