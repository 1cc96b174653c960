package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
)

// Exchange is one round trip of a dispatcher with the outbox, in one transaction: what came of deliveries, then further leases.
// However many deliveries it settles and leases, it waits for the disk once.
type Exchange struct {
	Done   db.DeliveriesDoneParams   // removed
	Failed db.DeliveriesFailParams   // put off, or given up
	Back   db.DeliveriesReturnParams // given back as if they had not been leased

	// Removed are those behind which the next of their key may go out: what is done and what is given up.
	Removed db.DeliveriesPromoteParams

	Claim *db.DeliveriesClaimParams // nil: it leases nothing

	// Rows are what the claim leased, and what it marked instead.
	Rows []db.DeliveriesClaimRow

	// Generation is the number of the last deployment, as the claim found it.
	Generation int32
}

// Send runs the exchange on a connection that is not in a transaction. After an error the connection may be in one that
// failed. Nothing was done then, unless the connection was lost; to send the same settlements again does no harm in either case.
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
	queue(len(x.Failed.Ids), func() error { return rows.DeliveriesFail(ctx, x.Failed) })
	queue(len(x.Removed.Ids), func() error { return rows.DeliveriesPromote(ctx, x.Removed) })
	queue(len(x.Back.Ids), func() error { return rows.DeliveriesReturn(ctx, x.Back) })
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

// answered gives a generated query the rows that a batch has brought.
type answered struct {
	db.DBTX

	rows pgx.Rows
}

// Query returns the rows.
func (a answered) Query(context.Context, string, ...any) (pgx.Rows, error) { return a.rows, nil }
