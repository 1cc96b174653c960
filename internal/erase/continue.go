package erase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Continue deletes some rows of a long log, and reports whether there was anything to delete.
// Several processes may call it.
func (e *Eraser) Continue(ctx context.Context) (worked bool, err error) {
	switch _, err := e.queries().ErasuresNext(ctx); {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil // a database in which nothing happens is not written to
	case err != nil:
		return false, fmt.Errorf("find an erasure that is not finished: %w", err)
	}
	err = e.Runner.Do(ctx, func(q *db.Queries) error {
		next, err := q.ErasuresNext(ctx)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("find an erasure that is not finished: %w", err)
		}
		worked = true
		return e.advance(ctx, q, next)
	})
	return worked, err
}

// noticeAge is for how long a notice of an erasure waits to be delivered.
const noticeAge = 30 * 24 * time.Hour

// ForgetNotices deletes the notices of erasures that were delivered, or are too old.
func (e *Eraser) ForgetNotices(ctx context.Context) error {
	if err := e.Store.Queries(e.Pool).NoticesForget(ctx, store.Timestamp(e.Now().Add(-noticeAge))); err != nil {
		return fmt.Errorf("delete notices of erasures: %w", err)
	}
	return nil
}

// advance deletes some rows of an erasure, and the contact once there are no more.
func (e *Eraser) advance(ctx context.Context, q *db.Queries, next db.ErasuresNextRow) error {
	const part = 10 // so that a step does not take as long as a whole erasure
	ids := []int64{next.ContactID}
	if err := q.EraseLock(ctx, ids); err != nil { // a deployment may be making facts anew from the log
		return fmt.Errorf("lock the person: %w", err)
	}
	row, err := q.EraseLog(ctx, db.EraseLogParams{Ids: ids, Most: int32(max(e.Most/part, 1))})
	if err != nil {
		return fmt.Errorf("delete the log: %w", err)
	}
	p := db.ErasuresAdvanceParams{No: next.No, Events: row.Events, RowCount: row.Others, ContactID: &next.ContactID}
	if !row.More {
		made, err := q.EraseStays(ctx, db.EraseStaysParams{Ids: ids, Now: e.timestamp()})
		if err != nil {
			return fmt.Errorf("delete facts: %w", err)
		}
		n, err := q.EraseContacts(ctx, ids)
		if err != nil {
			return fmt.Errorf("delete the person: %w", err)
		}
		p.RowCount, p.ContactID, p.FinishedAt = p.RowCount+made+n, nil, e.timestamp()
	}
	if err := q.ErasuresAdvance(ctx, p); err != nil {
		return fmt.Errorf("record the progress of the erasure: %w", err)
	}
	return nil
}

// Page returns up to size erasures that are older than one, the newest first. 0 begins with the
// newest of all.
func (e *Eraser) Page(ctx context.Context, before int64, size int32) ([]bucketgen.Erasure, error) {
	rows, err := e.Store.Queries(e.Pool).ErasuresPage(ctx, db.ErasuresPageParams{BeforeNo: before, Size: size})
	if err != nil {
		return nil, fmt.Errorf("read the erasures: %w", err)
	}
	all := make([]bucketgen.Erasure, len(rows))
	for i, row := range rows {
		all[i] = erasure(row)
	}
	return all, nil
}

func erasure(row db.ErasuresPageRow) bucketgen.Erasure {
	out := bucketgen.Erasure{
		ID: row.No, At: row.At.Time.UTC(), By: row.ByName, Ticket: row.Ticket, Suppressed: row.Suppressed, Events: row.Events, Rows: row.RowCount,
	}
	if row.FinishedAt.Valid {
		out.FinishedAt = row.FinishedAt.Time.UTC()
	}
	return out
}
