package transact

import (
	"context"

	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// PageSize is how many users a page has at most.
const PageSize = 500

// User is a user who was found in the database.
type User struct {
	ID      string
	Contact int64
}

// Tasks returns a task for each of some users.
func (r *Runner) Tasks(users []User, o decide.Options, step func(*decide.Session, table.Instant) decide.Result) []*Task {
	tasks := make([]*Task, len(users))
	for i, u := range users {
		tasks[i] = r.Existing(u.ID, u.Contact, o, step)
	}
	return tasks
}

// ForEach goes through users in the order of their contacts, page by page. read returns the users
// after a contact, none to end. do does something about them, and returns the contact up to which
// it has: usually that of the last, see [Last].
//
// With attempts, a page is repeated after an error for as long as they allow, and after a wait if
// do gets no further. Nil: the first error ends the loop.
func ForEach(ctx context.Context, attempts *retry.Attempts, after int64, read func(after int64) ([]User, error), do func([]User) (reached int64, err error)) error {
	for {
		users, err := read(after)
		if err == nil && len(users) == 0 {
			return nil
		}
		reached := after
		if err == nil {
			reached, err = do(users)
		}
		switch {
		case err != nil && attempts == nil:
			return err
		case err != nil:
			reached, err = after, attempts.Again(ctx, err)
		case attempts == nil:
		case reached > after:
			attempts.Reset()
		default:
			err = attempts.Sleep(ctx)
		}
		if err != nil {
			return err
		}
		after = reached
	}
}

// Last returns the contact of the last user of a page.
func Last(users []User) int64 { return users[len(users)-1].Contact }
