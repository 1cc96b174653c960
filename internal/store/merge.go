package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Merge moves the rows of one contact to another, under the locks of both. The caller has decided
// and written the stays, and hands over those that move; nothing of the loser is due before now.
// Afterwards it derives anew what the survivor's log says (see [LoadMode.Rebuild]).
func (s *Store) Merge(ctx context.Context, conn Conn, from, into int64, handed []decide.Handover, now table.Instant) error {
	q := s.batch()
	rows := db.New(q)
	at := timestamp(now)
	stays := db.MembershipsMergeParams{IntoID: into, FromID: from}
	for _, h := range handed {
		stays.BucketNos = append(stays.BucketNos, s.buckets[h.Bucket])
		stays.EntryCounts, stays.Nexts = append(stays.EntryCounts, int32(h.EntryCount)), append(stays.Nexts, int32(h.Next))
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
		err = q.Send(ctx, conn)
	}
	if err != nil {
		return fmt.Errorf("move the rows of the merged user: %w", err)
	}
	return nil
}
