package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/registry"
)

// BucketStay is a stay in one of several buckets.
type BucketStay struct {
	Stay
	BucketID     string `json:"bucketId"`
	BucketName   string `json:"bucketName"`
	MembershipID int64  `json:"membershipId"`
}

// Stays returns the stays of a user that last: one for each bucket that they are in, by the ids of
// the buckets. Buckets that this engine's registry does not have are left out. An unknown user
// gives [ErrUnknownUser], a deleted one [ErrDeleted].
func (g *Users) Stays(ctx context.Context, userID string) ([]BucketStay, error) {
	e := (*Engine)(g)
	if err := e.asked(userID); err != nil {
		return nil, fmt.Errorf("stays: %w", err)
	}
	rows, err := e.store.Queries(e.pool).MembershipsOf(ctx, userID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("stays: %w", err)
	case len(rows) == 0:
		return nil, fmt.Errorf("stays: %w", ErrUnknownUser)
	case rows[0].DeletedAt.Valid:
		return nil, fmt.Errorf("stays: %w", ErrDeleted)
	case rows[0].BucketNo == nil:
		return []BucketStay{}, nil
	}
	all := []BucketStay{}
	for _, row := range rows {
		b, known := e.store.Index(*row.BucketNo)
		if !known {
			continue
		}
		all = append(all, BucketStay{
			BucketID: e.registry.Buckets[b].ID, BucketName: e.registry.Buckets[b].Name, MembershipID: *row.ID,
			Stay: Stay{EntryCount: int(*row.EntryCount), EnteredAt: row.EnteredAt.Time.UTC(), Source: Source(*row.Source)},
		})
	}
	slices.SortFunc(all, func(a, b BucketStay) int { return cmp.Compare(a.BucketID, b.BucketID) })
	return all, nil
}

// LatestStay returns the latest stay of a user in a bucket, whether it lasts or not, and whether there ever was one. A user of
// whom nothing is known gives [ErrUnknownUser], one who is deleted [ErrDeleted].
func (g *Users) LatestStay(ctx context.Context, bucket registry.BucketRef, userID string) (Stay, bool, error) {
	e := (*Engine)(g)
	b, err := e.lookup(bucket)
	if err == nil {
		err = e.asked(userID)
	}
	if err != nil {
		return Stay{}, false, fmt.Errorf("latest stay: %w", err)
	}
	row, err := e.store.Queries(e.pool).MembershipsLatest(ctx, db.MembershipsLatestParams{UserID: userID, BucketNo: e.store.Bucket(b)})
	switch {
	case noRow(err):
		return Stay{}, false, fmt.Errorf("latest stay: %w", ErrUnknownUser)
	case err != nil:
		return Stay{}, false, fmt.Errorf("latest stay: %w", err)
	case row.DeletedAt.Valid:
		return Stay{}, false, fmt.Errorf("latest stay: %w", ErrDeleted)
	case row.ID == nil:
		return Stay{}, false, nil
	}
	s := Stay{EntryCount: int(*row.EntryCount), EnteredAt: row.EnteredAt.Time.UTC(), Source: Source(*row.Source), Reason: Reason(deref(row.Reason))}
	if row.LeftAt.Valid {
		s.LeftAt = row.LeftAt.Time.UTC()
	}
	return s, true, nil
}

// HistoryPage returns a page of what [Engine.History] goes through. An unknown user gives
// [ErrUnknownUser], one who is deleted [ErrDeleted].
func (e *Engine) HistoryPage(ctx context.Context, userID string, p Page) ([]Transition, int64, error) {
	if err := e.asked(userID); err != nil {
		return nil, 0, fmt.Errorf("history: %w", err)
	}
	rows, err := e.store.Queries(e.pool).TransitionsOf(ctx, db.TransitionsOfParams{UserID: userID, AfterID: p.After, Size: p.limit()})
	if err == nil && len(rows) == 0 {
		err = e.mustKnow(ctx, userID)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("history: %w", err)
	}
	page := []Transition{}
	for _, row := range rows {
		if t, known := e.logged(row.BucketgenTransition, userID, row.Email); known {
			page = append(page, t)
		}
	}
	return page, p.next(len(rows), func() int64 { return rows[len(rows)-1].BucketgenTransition.ID }), nil
}

// asked returns an error if nothing can be said about a user, whatever is in the database.
func (e *Engine) asked(userID string) error {
	if err := e.ready(); err != nil {
		return err
	}
	return event.UserID(userID)
}

// mustKnow returns an error if a user is unknown or deleted.
func (e *Engine) mustKnow(ctx context.Context, userID string) error {
	switch deleted, err := e.store.Queries(e.pool).ContactsDeleted(ctx, userID); {
	case noRow(err):
		return ErrUnknownUser
	case err != nil:
		return fmt.Errorf("read the user: %w", err)
	case deleted:
		return ErrDeleted
	}
	return nil
}
