package merge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

var (
	// ErrMoved says that a contact of a step goes by another name by now, or is gone: what the ids
	// ask for has to be decided again.
	ErrMoved = errors.New("the ids lead to other contacts by now")

	// ErrTooMany says that too many contacts became one by the ids of events lately.
	ErrTooMany = fmt.Errorf("%d contacts became this one by the ids of events within a day, which is the limit", maxAutomatic)
)

// maxAutomatic is how many contacts may become one within automaticSpan by the ids of events. More
// of them are the sign of an id that many people send.
const (
	maxAutomatic  = 100
	automaticSpan = 24 * time.Hour
)

// Refused reports whether an error of [Merger.Apply] says that the ids have to stay as they are.
func Refused(err error) bool {
	_, invalid := errors.AsType[*bucketgen.InvalidError](err)
	return invalid || errors.Is(err, ErrTooMany) || errors.Is(err, bucketgen.ErrDeleted) || errors.Is(err, bucketgen.ErrSuppressed) || errors.Is(err, bucketgen.ErrNotDeployed)
}

// Apply does a step that the ids of an event ask for, in a transaction of its own, at the time of
// the event: Unset is now. Unlike a merge that a caller asks for, it follows no name to another
// contact: it gives [ErrMoved] then.
func (m *Merger) Apply(ctx context.Context, step resolve.Change, at table.Instant) error {
	if step.Op == resolve.Share {
		return m.Share(ctx, step.From)
	}
	two := m.merging(automatic, step.From, step.Into)
	two.now, two.replayed = at, at != table.Unset
	if step.Op == resolve.Promote {
		two.kind = promotion
	}
	err := m.ending(m.commitEnd(ctx), func() error { return two.commit(ctx) })
	if transact.IsMerged(err) || taken(err) {
		return ErrMoved
	}
	return err
}

// Share makes an id one that leads to a contact by itself, which merges with no other.
func (m *Merger) Share(ctx context.Context, name string) error {
	return m.Runner.Do(ctx, func(q *db.Queries) error {
		err := q.IdentitiesShare(ctx, db.IdentitiesShareParams{Name: name, Now: store.Timestamp(m.Runner.Now().Time())})
		if err != nil {
			return fmt.Errorf("share an id: %w", err)
		}
		return nil
	})
}

// taken reports whether the database refused a name that another contact has.
func taken(err error) bool {
	const uniqueViolation = "23505"
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == uniqueViolation
}

// rename gives a contact its new name, and leaves the former one behind.
func (m *merging) rename(ctx context.Context, contact int64) error {
	return m.Runner.Store.Promote(ctx, m.conn, store.Merger{
		Kind: m.kind, From: contact, Into: contact, FromName: m.from, IntoName: m.into, Now: m.now,
	})
}

// checkNumber returns an error if too many contacts became one lately.
func (m *merging) checkNumber(ctx context.Context, into int64) error {
	since := m.Runner.Now().Time().Add(-automaticSpan)
	n, err := m.Runner.Store.Queries(m.conn).MergesLately(ctx, db.MergesLatelyParams{ContactID: into, Since: store.Timestamp(since), Most: maxAutomatic})
	switch {
	case err != nil:
		return fmt.Errorf("count merges: %w", err)
	case n >= maxAutomatic:
		return ErrTooMany
	default:
		return nil
	}
}
