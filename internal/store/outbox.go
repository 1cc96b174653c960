package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
)

// Exchange is one round trip of a dispatcher with the outbox, in one transaction: the results of
// deliveries, then new leases. It waits for the disk once, whatever the number of deliveries.
type Exchange struct {
	// Done are deliveries that were made, and Released those that were not; see
	// [Exchange.Complete].
	Done     db.DeliveriesDoneParams
	Released db.DeliveriesReleaseParams

	// Removed are the deliveries that no longer block the next one of their key: done and given up.
	Removed db.DeliveriesPromoteParams

	Claim *db.DeliveriesClaimParams // Claim asks for leases; nil: for none

	// Rows are what the claim leased, and what it marked as blocked.
	Rows []db.DeliveriesClaimRow

	// Generation is the number of the last deployment, as the claim found it.
	Generation int32
}

// Outcome is what became of a delivery.
type Outcome string

// The outcomes of deliveries.
const (
	Done     Outcome = "done"     // it is removed
	Returned Outcome = "returned" // it is as if it had not been leased
	Waiting  Outcome = "waiting"  // it failed, and waits for the next attempt
	Dead     Outcome = "dead"     // it is given up
)

// Complete adds the outcome of a leased delivery. Only one that is waiting or dead has an error,
// and a time of its next attempt.
func (x *Exchange) Complete(row *db.DeliveriesClaimRow, o Outcome, next time.Time, text string) {
	if o == Done {
		p := &x.Done
		p.ContactIds, p.SubscriptionNos = append(p.ContactIds, row.ContactID), append(p.SubscriptionNos, row.SubscriptionNo)
		p.BucketNos, p.Ids = append(p.BucketNos, row.BucketNo), append(p.Ids, row.ID)
	} else {
		p := &x.Released
		p.ContactIds, p.SubscriptionNos = append(p.ContactIds, row.ContactID), append(p.SubscriptionNos, row.SubscriptionNo)
		p.BucketNos, p.Ids = append(p.BucketNos, row.BucketNo), append(p.Ids, row.ID)
		p.Outcomes, p.NextAt, p.Errors = append(p.Outcomes, string(o)), append(p.NextAt, Timestamp(next)), append(p.Errors, text)
	}
	if o == Done || o == Dead {
		p := &x.Removed
		p.ContactIds, p.SubscriptionNos = append(p.ContactIds, row.ContactID), append(p.SubscriptionNos, row.SubscriptionNo)
		p.BucketNos, p.Ids = append(p.BucketNos, row.BucketNo), append(p.Ids, row.ID)
	}
}

// Send runs the exchange on a connection that is not in a transaction. After an error the
// connection may be in a failed one. Nothing was changed then, unless the connection was lost.
// Sending the same results again does no harm.
func (x *Exchange) Send(ctx context.Context, conn Conn, s *Store) error {
	q := s.batch()
	q.Add("begin isolation level read committed")
	q.Add(db.TransactionPlanned)
	rows := db.New(q)
	var err error
	queue := func(n int, add func() error) {
		if err == nil && n > 0 {
			err = add()
		}
	}
	queue(len(x.Done.Ids), func() error { return rows.DeliveriesDone(ctx, x.Done) })
	queue(len(x.Released.Ids), func() error { return rows.DeliveriesRelease(ctx, x.Released) })
	queue(len(x.Removed.Ids), func() error { return rows.DeliveriesPromote(ctx, x.Removed) })
	if err != nil {
		return err
	}
	if p := x.Claim; p != nil {
		q.Add(db.GenerationNo).QueryRow(func(row pgx.Row) error { return row.Scan(&x.Generation) })
		q.Add(db.DeliveriesClaim, p.Virtual, p.Now, p.SubscriptionNos, p.Shares, p.GenerationNo, p.PausedNos, p.Most, p.Until, p.Lease).Query(
			func(rows pgx.Rows) (err error) {
				x.Rows, err = db.New(answered{rows: rows}).DeliveriesClaim(ctx, *p)
				return err
			})
	}
	q.Add("commit")
	return q.Send(ctx, conn)
}

// answered runs a generated query on the rows of a batch.
type answered struct {
	db.DBTX

	rows pgx.Rows
}

// Query returns the rows.
func (a answered) Query(context.Context, string, ...any) (pgx.Rows, error) { return a.rows, nil }
