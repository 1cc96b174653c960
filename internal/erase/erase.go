// Package erase deletes everything that the database has about a person.
package erase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Eraser erases people. It is safe for concurrent use; its fields do not change while it is used.
type Eraser struct {
	Pool  *pgxpool.Pool
	Store *store.Store

	// Runner runs the transactions, on the same pool and store.
	Runner *transact.Runner

	// Now is the clock by which users are decided on.
	Now func() time.Time

	// Most is how many rows of the log one transaction deletes. The log of a person who has more is
	// deleted in steps, see [Eraser.Continue].
	Most int

	// Erased is called after a person was erased, with their names: memberships changed, and what
	// the process has in memory of them must go.
	Erased func(names []string)
}

// errChanged says that a person got or lost an id before the locks were taken.
var errChanged = errors.New("the ids of the person changed meanwhile")

// Erase erases the person whom an id of a kind names, and retries for as long as attempts allow. A
// person who is unknown gives ErrUnknownUser.
func (e *Eraser) Erase(ctx context.Context, attempts *retry.Attempts, id string, o bucketgen.EraseOptions) (bucketgen.Erasure, error) {
	return e.erase(ctx, attempts, id, o, nil)
}

func (e *Eraser) erase(ctx context.Context, attempts *retry.Attempts, id string, o bucketgen.EraseOptions, job *int64) (bucketgen.Erasure, error) {
	attempts.ExpectedFunc = func(err error) bool { return errors.Is(err, errChanged) }
	for {
		p := person{Eraser: e, kind: o.Kind, id: id, job: job, now: e.timestamp()}
		var out bucketgen.Erasure
		err := e.Runner.Do(ctx, func(q *db.Queries) (err error) {
			out, err = p.erase(ctx, q, o)
			return err
		})
		if err == nil {
			e.Erased(p.names)
			return out, nil
		}
		if err := attempts.Again(ctx, err); err != nil {
			return bucketgen.Erasure{}, err
		}
	}
}

// EraseTx erases a person in a transaction of the caller. What processes have in memory of the
// person goes once they learn of the erasure, after the caller has committed.
func (e *Eraser) EraseTx(ctx context.Context, tx pgx.Tx, id string, o bucketgen.EraseOptions) (out bucketgen.Erasure, err error) {
	err = e.Runner.InSavepoint(ctx, tx, func(tx pgx.Tx) (err error) {
		p := person{Eraser: e, kind: o.Kind, id: id, now: e.timestamp()}
		out, err = p.erase(ctx, e.Store.Queries(tx), o)
		return err
	})
	return out, err
}

func (e *Eraser) timestamp() pgtype.Timestamptz { return store.Timestamp(e.Now()) }

// person is a person who is being erased.
type person struct {
	*Eraser

	kind, id string
	job      *int64 // job is the one that the erasure is a part of; nil: none
	now      pgtype.Timestamptz
	contacts []db.EraseFindRow
	ids      []int64  // ids are those of the contacts
	kept     []int64  // kept are those of them that hold the name of a shared id
	names    []string // names are the user ids of the person
}

// erase deletes all rows of the person, or all but those of a long log.
func (p *person) erase(ctx context.Context, q *db.Queries, o bucketgen.EraseOptions) (bucketgen.Erasure, error) {
	if err := p.lock(ctx, q, o.Suppress); err != nil {
		return bucketgen.Erasure{}, err
	}
	if err := p.suppress(ctx, q, o.Suppress); err != nil {
		return bucketgen.Erasure{}, err
	}
	if err := p.addTallies(ctx, q); err != nil {
		return bucketgen.Erasure{}, err
	}
	rows, err := p.deleteStays(ctx, q)
	if err != nil {
		return bucketgen.Erasure{}, err
	}
	record := db.ErasuresInsertParams{At: p.now, ByName: o.By, Ticket: o.Ticket, Suppressed: o.Suppress, RowCount: rows, JobNo: p.job}
	if err := p.deleteLog(ctx, q, &record); err != nil {
		return bucketgen.Erasure{}, err
	}
	no, err := q.ErasuresInsert(ctx, record)
	if err != nil {
		return bucketgen.Erasure{}, fmt.Errorf("record the erasure: %w", err)
	}
	if err := q.NoticesErased(ctx, db.NoticesErasedParams{No: no, Now: p.now, Names: p.names}); err != nil {
		return bucketgen.Erasure{}, fmt.Errorf("notify of the erasure: %w", err)
	}
	return erasure(db.ErasuresPageRow{
		No: no, At: record.At, ByName: record.ByName, Ticket: record.Ticket, Suppressed: record.Suppressed, Events: record.Events,
		RowCount: record.RowCount, FinishedAt: record.FinishedAt,
	}), nil
}

// lock takes the locks of all contacts of the person. With claim, a person who is unknown gets one.
func (p *person) lock(ctx context.Context, q *db.Queries, claim bool) error {
	who := resolve.Name(p.kind, p.id)
	var err error
	if p.contacts, err = q.EraseFind(ctx, who); err != nil {
		return fmt.Errorf("find the person: %w", err)
	}
	if len(p.contacts) == 0 && claim {
		if err := q.EraseClaim(ctx, db.EraseClaimParams{UserID: who, Now: p.now}); err != nil {
			return fmt.Errorf("claim the id: %w", err)
		}
		if p.contacts, err = q.EraseFind(ctx, who); err != nil {
			return fmt.Errorf("find the person: %w", err)
		}
	}
	if len(p.contacts) == 0 {
		return bucketgen.ErrUnknownUser
	}
	for _, c := range p.contacts {
		p.ids = append(p.ids, c.ID)
		if c.Kept {
			p.kept = append(p.kept, c.ID)
		}
	}
	if err := q.EraseLock(ctx, p.ids); err != nil {
		return fmt.Errorf("lock the person: %w", err)
	}
	locked, err := q.EraseFind(ctx, who)
	switch {
	case err != nil:
		return fmt.Errorf("find the person: %w", err)
	case !slices.Equal(locked, p.contacts):
		return errChanged
	}
	return nil
}

// suppress reads the ids of the person and stores their hashes: to refuse them, or to know that
// they were used.
func (p *person) suppress(ctx context.Context, q *db.Queries, refuse bool) error {
	all, err := q.EraseNames(ctx, without(p.ids, p.kept))
	if err != nil {
		return fmt.Errorf("read the ids of the person: %w", err)
	}
	hashes := db.SuppressionsPutParams{Suppressed: refuse, At: p.now}
	p.names = all
	for _, name := range all {
		kind, value := resolve.Parse(name)
		if s := p.Store.Suppressor; s != nil {
			hashes.Hashes, hashes.Kinds = append(hashes.Hashes, s.Hash(kind, value)), append(hashes.Kinds, kind)
		}
	}
	if len(hashes.Hashes) == 0 {
		return nil
	}
	if err := q.SuppressionsPut(ctx, hashes); err != nil {
		return fmt.Errorf("suppress the ids: %w", err)
	}
	return nil
}

// addTallies adds to the sizes of buckets what their rollup has not counted.
func (p *person) addTallies(ctx context.Context, q *db.Queries) error {
	upTo, err := q.EraseRollup(ctx)
	if err != nil {
		return fmt.Errorf("lock the rollup: %w", err)
	}
	if err := q.EraseTallies(ctx, db.EraseTalliesParams{Ids: p.ids, UpTo: upTo, Now: p.now}); err != nil {
		return fmt.Errorf("add up the person's transitions: %w", err)
	}
	return nil
}

// deleteStays deletes everything but the log, and returns the number of rows.
func (p *person) deleteStays(ctx context.Context, q *db.Queries) (int64, error) {
	deliveries, err := q.EraseDeliveries(ctx, p.ids)
	if err != nil {
		return 0, fmt.Errorf("delete deliveries: %w", err)
	}
	if err := q.EraseShared(ctx, db.EraseSharedParams{Ids: p.ids, Kept: p.kept}); err != nil {
		return 0, fmt.Errorf("keep shared ids: %w", err)
	}
	stays, err := q.EraseStays(ctx, db.EraseStaysParams{Ids: p.ids, Names: p.names, Now: p.now})
	if err != nil {
		return 0, fmt.Errorf("delete stays: %w", err)
	}
	elsewhere, err := q.EraseElsewhere(ctx, p.names)
	if err != nil {
		return 0, fmt.Errorf("delete the person from jobs and the audit log: %w", err)
	}
	results, err := p.cleanResults(ctx, q)
	return deliveries + stays + elsewhere + results, err
}

// deleteLog deletes the log and the contacts. Of a person with a long log it keeps one contact, by
// which [Eraser.Continue] finds the rest.
func (p *person) deleteLog(ctx context.Context, q *db.Queries, record *db.ErasuresInsertParams) error {
	logged, err := q.EraseLogged(ctx, db.EraseLoggedParams{Ids: p.ids, Most: int32(p.Most) + 1})
	if err != nil {
		return fmt.Errorf("count the log: %w", err)
	}
	gone := p.ids
	survivor := slices.IndexFunc(p.contacts, func(c db.EraseFindRow) bool { return c.Survives }) // which has the log: a merge moves it there
	if logged > int64(p.Most) && survivor >= 0 {
		kept := p.contacts[survivor].ID
		if err := q.EraseHide(ctx, db.EraseHideParams{Now: p.now, ID: kept}); err != nil {
			return fmt.Errorf("hide the person: %w", err)
		}
		record.ContactID = &kept
		gone = without(p.ids, []int64{kept})
	} else {
		record.FinishedAt = p.now
	}
	for more := len(gone) > 0; more; {
		row, err := q.EraseLog(ctx, db.EraseLogParams{Ids: gone, Most: int32(p.Most)})
		if err != nil {
			return fmt.Errorf("delete the log: %w", err)
		}
		record.Events, record.RowCount, more = record.Events+row.Events, record.RowCount+row.Others, row.More
	}
	n, err := q.EraseContacts(ctx, without(gone, p.kept))
	if err != nil {
		return fmt.Errorf("delete the person: %w", err)
	}
	record.RowCount += n
	return nil
}

// without returns the ids that are not among others.
func without(ids, others []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return slices.Contains(others, id) })
}
