package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// IngestTx takes events in as part of a transaction of the caller, so that they are stored if and only if the caller's
// own changes are. What it returns is provisional until the caller commits; transitions are delivered after that.
//
// The transaction must be READ COMMITTED, or it gives [ErrIsolation]. It holds the locks of the users until it ends: the
// engine puts off whatever else happens to them, so it should end soon. A caller who takes in events of several users by
// several calls within one transaction must do so in the order of their ids, or may find itself in a deadlock with
// another who does not. So may one who names a user by a name that they had before they were merged, the first time.
//
// If one of the events is refused, none is taken in, and the transaction can go on.
func (e *Engine) IngestTx(ctx context.Context, tx pgx.Tx, events ...Event) ([]Result, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	now := e.Now()
	items := make([]*item, len(events))
	for i := range events {
		ev, err := e.validate(&events[i], now)
		if err != nil {
			return nil, fmt.Errorf("ingest event %d: %w", i, err)
		}
		items[i] = &item{user: e.name(events[i].UserID), event: ev, at: table.Unset}
	}
	if err := e.ingestWithin(ctx, tx, items); err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	results := make([]Result, len(items))
	for i, it := range items {
		results[i] = e.result(it)
		e.count(it)
	}
	return results, nil
}

func (e *Engine) ingestWithin(ctx context.Context, tx pgx.Tx, items []*item) error {
	return e.inSavepoint(ctx, tx, func(tx pgx.Tx) error {
		if len(items) == 0 {
			return nil
		}
		return e.ingestAll(ctx, tx, items)
	})
}

// inSavepoint calls f with a savepoint of a caller's transaction, so that an error of f leaves the
// transaction as it was. It refuses a transaction that is not READ COMMITTED.
func (e *Engine) inSavepoint(ctx context.Context, tx pgx.Tx, f func(tx pgx.Tx) error) error {
	isolation, err := e.store.Queries(tx).TransactionIsolation(ctx)
	if err != nil {
		return err
	}
	if isolation != "read committed" {
		return fmt.Errorf("%w but %s", ErrIsolation, isolation)
	}
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	if err := f(savepoint); err != nil {
		return errors.Join(err, savepoint.Rollback(ctx))
	}
	return savepoint.Commit(ctx)
}

// refused returns the errors of events that were refused for what their users have already.
func refused(items []*item) error {
	for i, it := range items {
		if err := it.refusal(); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
	}
	return nil
}

func (e *Engine) ingestAll(ctx context.Context, tx pgx.Tx, items []*item) error {
	if err := e.store.NameEventsWithin(ctx, tx, e.config.Now(), eventsOf(items)); err != nil {
		return err
	}
	for i, it := range items {
		if it.unnamed() {
			return fmt.Errorf("event %d: %w", i, e.tooManyNames())
		}
	}
	var all []ingestion
	err := transact.Canonical(func() error {
		var tasks []*transact.Task
		tasks, all = e.ingestions(items)
		return e.runner.InTx(ctx, tx, tasks)
	}, func(n transact.Names) { rename(items, n) })
	if err = errors.Join(err, refused(items)); err == nil {
		e.catalog.Add(e.now(), stored(all))
	}
	return err
}
