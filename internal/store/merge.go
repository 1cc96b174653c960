package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// Merge makes a contact another, under the locks of both, as far as that is a matter of rows: what was made of the log is to be
// made anew for the survivor afterwards (see [LoadMode.Rebuild]). What becomes of stays must have been decided and written: here those that
// are handed over move. Nothing of the loser must be due before the instant at which that is.
func (s *Store) Merge(ctx context.Context, conn Conn, from, into int64, handed []decide.Handover, now registry.Instant) error {
	q := &queue{store: s}
	rows := db.New(q)
	at := timestamp(now)
	stays := db.MembershipsMergeParams{IntoID: into, FromID: from}
	for _, h := range handed {
		stays.BucketNos = append(stays.BucketNos, s.buckets[h.Bucket])
		stays.Epochs, stays.Nexts = append(stays.Epochs, int32(h.Epoch)), append(stays.Nexts, int32(h.Next))
	}
	err := errors.Join(
		rows.EventsMerge(ctx, db.EventsMergeParams{IntoID: into, FromID: from}),
		rows.IdempotencyKeysMerge(ctx, db.IdempotencyKeysMergeParams{IntoID: into, FromID: from}),
		rows.ContactsMerge(ctx, db.ContactsMergeParams{IntoID: into, FromID: from}),
		rows.MembershipsMerge(ctx, stays),
		rows.IdentitiesMerge(ctx, db.IdentitiesMergeParams{IntoID: into, FromID: from, Now: at}),
		rows.ContactsMerged(ctx, db.ContactsMergedParams{FromID: from, Now: at}),
	)
	if err == nil {
		err = q.send(ctx, conn)
	}
	if err != nil {
		return fmt.Errorf("move what is known of the user: %w", err)
	}
	return nil
}

// Merged reports whether a user is no more than a name of another, into whom they were merged.
func (f *Facts) Merged(name string) bool {
	c := f.users[name].contact
	return c != nil && c.MergedAt.Valid
}

// Deleted reports whether a user is deleted who is locked.
func (f *Facts) Deleted(name string) bool { return f.users[name].contact.DeletedAt.Valid }

// Properties returns the properties of a user who is locked.
func (f *Facts) Properties(name string) payload.Properties { return f.users[name].properties }

// Created reports whether the transaction has created a user.
func (f *Facts) Created(name string) bool { return f.users[name].created }

// Renamed returns the names by which users go who were merged into others, and remembers them: nobody is ever parted again.
func (s *Store) Renamed(ctx context.Context, conn db.DBTX, users []string) (map[string]string, error) {
	rows, err := s.Queries(conn).IdentitiesOf(ctx, users)
	if err != nil {
		return nil, fmt.Errorf("read the names of users who were merged: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, row := range rows {
		names[row.Value] = row.UserID
		s.Rename(row.Value, row.UserID)
	}
	return names, nil
}

// Rename remembers that a user was merged into another, once that is committed.
func (s *Store) Rename(user, name string) { s.cache.SetMerged(user, name) }

// Name returns the name by which a user goes, as far as is remembered.
func (s *Store) Name(user string) string { return s.cache.Canonical(user) }
