package merge

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// expiredError says that a contact of a merge was anonymous, and has expired by the time of the
// merge, which may be ahead of the clock. Nothing was done.
type expiredError struct {
	user string
	at   table.Instant
}

// Error says who it is.
func (e *expiredError) Error() string { return fmt.Sprintf("%q has expired", resolve.Text(e.user)) }

// ending calls do. If a contact has expired before, it ends the contact, and calls do again: the id
// is that of no contact then.
func (m *Merger) ending(end func(*transact.Task) error, do func() error) error {
	for {
		err := do()
		expired, ok := errors.AsType[*expiredError](err)
		if !ok {
			return err
		}
		t := m.Runner.Existing(expired.user, 0, m.Options, func(s *decide.Session, clock table.Instant) decide.Result {
			return s.CatchUp(max(clock, expired.at))
		})
		if err := end(t); err != nil {
			return fmt.Errorf("end a contact that has expired: %w", err)
		}
	}
}

// commitEnd returns a function that ends a contact in a transaction of its own.
func (m *Merger) commitEnd(ctx context.Context) func(*transact.Task) error {
	return func(t *transact.Task) error { return m.Runner.Commit(ctx, true, []*transact.Task{t}) }
}
