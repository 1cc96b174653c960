package merge

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// expiredError says that a contact of a merge was anonymous, and has expired before. Nothing was
// done.
type expiredError struct{ user string }

// Error says who it is.
func (e *expiredError) Error() string { return fmt.Sprintf("user %q has expired", e.user) }

// ending calls do. If a contact has expired before, it ends the contact, and calls do again: the id
// is that of no contact then.
func (m *Merger) ending(end func(*transact.Task) error, do func() error) error {
	for {
		err := do()
		expired, ok := errors.AsType[*expiredError](err)
		if !ok {
			return err
		}
		if err := end(m.Runner.Existing(expired.user, 0, m.Options, (*decide.Session).CatchUp)); err != nil {
			return fmt.Errorf("end a contact that has expired: %w", err)
		}
	}
}

// commitEnd returns a function that ends a contact in a transaction of its own.
func (m *Merger) commitEnd(ctx context.Context) func(*transact.Task) error {
	return func(t *transact.Task) error { return m.Runner.Commit(ctx, true, []*transact.Task{t}) }
}
