package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Merger says which contact becomes which. Where a contact gets another name, both are one.
type Merger struct {
	Kind               string // as the table merges has it
	From, Into         int64
	FromName, IntoName string
	Handed             []decide.Handover // the stays that move
	MostAnonymous      int               // how many anonymous ids the survivor keeps
	Now                table.Instant
}

func (m *Merger) identities() db.IdentitiesMergeParams {
	kind, value := resolve.Parse(m.FromName)
	return db.IdentitiesMergeParams{
		Kind: kind, Value: value, IntoID: m.Into, FromID: m.From, FromName: m.FromName, IntoName: m.IntoName, Now: timestamp(m.Now),
		SeenAt: timestamp(resolve.Day(m.Now)),
	}
}

// Merge moves the rows of one contact to another, under the locks of both. The caller has decided
// and written the stays, and hands over those that move; nothing of the loser is due before now.
// Afterwards it derives anew what the survivor's log says (see [LoadMode.Rebuild]).
// It reports whether an anonymous id was detached, because the survivor has too many: see
// [Store.Detached].
func (s *Store) Merge(ctx context.Context, conn Conn, m Merger) (detached bool, err error) {
	q := s.batch()
	rows := db.New(q)
	at := timestamp(m.Now)
	stays := db.MembershipsMergeParams{IntoID: m.Into, FromID: m.From, FromName: m.FromName}
	for _, h := range m.Handed {
		stays.BucketNos = append(stays.BucketNos, s.buckets[h.Bucket])
		stays.EntryCounts, stays.Nexts = append(stays.EntryCounts, int32(h.EntryCount)), append(stays.Nexts, int32(h.Next))
	}
	err = errors.Join(
		rows.MergesAdd(ctx, db.MergesAddParams{
			IntoID: m.Into, FromID: m.From, Kind: m.Kind, FromName: m.FromName, IntoName: m.IntoName, Now: at,
			BucketNos: stays.BucketNos, EntryCounts: stays.EntryCounts, Nexts: stays.Nexts,
		}),
		rows.NoticesMerged(ctx, m.Into),
		rows.EventsMerge(ctx, db.EventsMergeParams{IntoID: m.Into, FromID: m.From}),
		rows.IdempotencyKeysMerge(ctx, db.IdempotencyKeysMergeParams{IntoID: m.Into, FromID: m.From}),
		rows.ContactsMerge(ctx, db.ContactsMergeParams{IntoID: m.Into, FromID: m.From}),
		rows.MembershipsMerge(ctx, stays),
		rows.IdentitiesMerge(ctx, m.identities()),
		rows.ContactsMerged(ctx, db.ContactsMergedParams{FromID: m.From, Now: at}),
	)
	trim(q, db.IdentitiesTrimParams{Owners: []string{m.IntoName}, Most: int32(m.MostAnonymous), Now: at}, &detached)
	if err == nil {
		err = q.Send(ctx, conn)
	}
	if err != nil {
		return false, fmt.Errorf("move the rows of the merged user: %w", err)
	}
	return detached, nil
}

// Promote gives a contact another name, under its lock. The former name leads to it.
func (s *Store) Promote(ctx context.Context, conn Conn, m Merger) error {
	q := s.batch()
	rows := db.New(q)
	at := timestamp(m.Now)
	err := errors.Join(
		rows.MergesAdd(ctx, db.MergesAddParams{IntoID: m.Into, FromID: m.From, Kind: m.Kind, FromName: m.FromName, IntoName: m.IntoName, Now: at}),
		rows.NoticesMerged(ctx, m.Into),
		rows.ContactsPromote(ctx, db.ContactsPromoteParams{ContactID: m.Into, IntoName: m.IntoName, Hash: s.hash(m.IntoName)}),
		rows.ContactsLeave(ctx, db.ContactsLeaveParams{Name: m.FromName, Now: at}),
		rows.IdentitiesMerge(ctx, m.identities()),
		rows.MembershipsPromote(ctx, db.MembershipsPromoteParams{ContactID: m.Into, FromName: m.FromName}),
	)
	if err == nil {
		err = q.Send(ctx, conn)
	}
	if err != nil {
		return fmt.Errorf("rename the contact: %w", err)
	}
	return nil
}
