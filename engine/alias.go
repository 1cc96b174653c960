package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/event"
)

// maxNames is how many further names a user may have before anonymous ids are not kept any more.
const maxNames = 100

// AddAnonymousID notes an id under which a visitor was seen before they became a user, on the word of a client who is not trusted
// to merge users. Nothing else changes: the id names no user, so that a client cannot claim what another user does later. A user
// who is unknown is created. The id stays with the user who had it first. It is not kept if the user has 100 further names already.
//
// If the id is that of a user, it gives [ErrMergeNotAllowed], unless that is already the same user: [Engine.Merge] is for callers
// who may make two users one. A user who is deleted gives [ErrDeleted], an id that cannot be one an [*InvalidError].
func (g *Users) AddAnonymousID(ctx context.Context, anonymousID, userID string) error {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return err
	}
	if err := checkMerge(anonymousID, userID); err != nil {
		return err
	}
	rows, err := e.store.Queries(e.pool).IdentitiesUsers(ctx, []string{anonymousID, userID})
	if err != nil {
		return fmt.Errorf("find the users of an alias: %w", err)
	}
	known := map[string]db.IdentitiesUsersRow{}
	for _, row := range rows {
		known[row.Name] = row
	}
	before, isUser := known[anonymousID]
	user, created := known[userID]
	switch {
	case anonymousID == userID || isUser && created && before.ID == user.ID:
		return nil
	case isUser:
		return ErrMergeNotAllowed
	case user.Deleted:
		return ErrDeleted
	case created:
		userID = user.UserID
	default:
		if _, err := e.Ingest(ctx, Event{UserID: userID, TraitsJSON: []byte("{}")}); err != nil {
			return err
		}
	}
	err = e.store.Queries(e.pool).IdentitiesAddAnonymous(ctx, db.IdentitiesAddAnonymousParams{UserID: userID, AnonymousID: anonymousID, Most: maxNames})
	if err != nil {
		return fmt.Errorf("add an anonymous id of user %q: %w", userID, err)
	}
	return nil
}

// checkMerge refuses ids that cannot be those of a merge.
func checkMerge(from, into string) error {
	for _, named := range [...]struct{ field, id string }{{"from", from}, {"into", into}} {
		if invalid, ok := errors.AsType[*InvalidError](event.UserID(named.id)); ok {
			return fmt.Errorf("merge users: %w", &InvalidError{Field: named.field, Problem: invalid.Problem})
		}
	}
	return nil
}
