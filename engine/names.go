package engine

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/internal/transact"
)

// CanonicalID returns the id by which a user goes: the one given, unless that is one that they had
// before they were merged. It is the same for a user who is unknown.
func (g *Users) CanonicalID(ctx context.Context, userID string) (string, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return "", err
	}
	names, err := e.store.ReadMerged(ctx, e.pool, []string{userID})
	if err != nil {
		return "", fmt.Errorf("canonical id of user %q: %w", userID, err)
	}
	for user, into := range names {
		e.store.SetMerged(user, into)
	}
	return transact.Names(names).Of(userID), nil
}

// name returns the name by which a user goes, as far as this process knows.
func (e *Engine) name(user string) string {
	if e.phase.Load() == fresh {
		return user
	}
	return e.store.Canonical(user)
}
