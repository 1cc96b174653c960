package transact

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
)

// InSavepoint calls f with a savepoint of a caller's transaction, so that an error of f leaves the
// transaction as it was. It refuses a transaction that is not READ COMMITTED.
func (r *Runner) InSavepoint(ctx context.Context, tx pgx.Tx, f func(tx pgx.Tx) error) error {
	isolation, err := r.Store.Queries(tx).TransactionIsolation(ctx)
	if err != nil {
		return err
	}
	if isolation != "read committed" {
		return fmt.Errorf("%w but %s", bucketgen.ErrIsolation, isolation)
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
