package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/internal/store"
)

// renamedError says that users go by other names by now, because they were merged into others. Nothing was done; it can be
// tried again by those names.
type renamedError struct{ names map[string]string }

// Error returns how many they are.
func (r *renamedError) Error() string {
	return fmt.Sprintf("%d users were merged into others meanwhile", len(r.names))
}

// of returns the name by which a user goes.
func (r *renamedError) of(user string) string {
	if name, merged := r.names[user]; merged {
		return name
	}
	return user
}

// asRenamed returns the error as what it is, if that is that users have other names.
func asRenamed(err error) (*renamedError, bool) { return errors.AsType[*renamedError](err) }

// renamed returns a [*renamedError] if users who were named have other names. Who they are is seen by the lock of the user, and
// looked up only then: so those who were never merged cost nothing.
func (e *Engine) renamed(ctx context.Context, conn store.Conn, facts *store.Facts, tasks []*task) error {
	var merged []string
	for _, t := range tasks {
		if t.named && facts.Merged(t.want.User) {
			merged = append(merged, t.want.User)
		}
	}
	if len(merged) == 0 {
		return nil
	}
	names, err := e.store.Renamed(ctx, conn, merged)
	if err != nil {
		return err
	}
	for _, user := range merged {
		if names[user] == "" {
			return fmt.Errorf("user %q was merged, and bucketgen.identities does not say into whom; was it changed by hand?", user)
		}
	}
	return &renamedError{names}
}

// NameOf returns the id by which a user goes: the one given, unless that is one that they had before they were merged. It is the
// same for a user who is unknown.
func (e *Engine) NameOf(ctx context.Context, userID string) (string, error) {
	if err := e.ready(); err != nil {
		return "", err
	}
	names, err := e.store.Renamed(ctx, e.pool, []string{userID})
	if err != nil {
		return "", fmt.Errorf("name of user %q: %w", userID, err)
	}
	return (&renamedError{names}).of(userID), nil
}

// name returns the name by which a user goes, as far as this process knows.
func (e *Engine) name(user string) string {
	if e.phase.Load() == fresh {
		return user
	}
	return e.store.Name(user)
}
