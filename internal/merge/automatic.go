package merge

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

var (
	// ErrMoved says that a contact of a step goes by another name by now, or is gone: what the ids
	// ask for has to be decided again.
	ErrMoved = errors.New("the ids lead to other contacts by now")

	// ErrTooMany says that too many contacts became one by the ids of events lately.
	ErrTooMany = fmt.Errorf("%d contacts became this one by the ids of events within a day, which is the limit", resolve.MaxAutomatic)

	// ErrTooManyIDs says that both contacts have more ids of a kind than one may.
	ErrTooManyIDs = errors.New("both contacts have more ids of this kind than one contact may have")
)

// Refused reports whether an error of [Merger.Apply] says that the ids have to stay as they are.
func Refused(err error) bool {
	_, invalid := errors.AsType[*bucketgen.InvalidError](err)
	if invalid {
		return true
	}
	for _, refusal := range []error{ErrTooMany, ErrTooManyIDs, bucketgen.ErrDeleted, bucketgen.ErrSuppressed, bucketgen.ErrNotDeployed} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
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

// Reclaim gives a shared id to a user: the contact of the id is merged into theirs. It is for a
// caller who knows that the id is the user's alone.
func (m *Merger) Reclaim(ctx context.Context, attempts *retry.Attempts, id, into string) error {
	from := resolve.Name(resolve.Shared, id)
	return m.again(ctx, attempts, &from, &into, func() error {
		two := m.merging(byCaller, from, into)
		two.reclaims = id
		return two.commit(ctx)
	})
}

// reclaim makes the id the survivor's, once the contact of the id was merged into that.
func (m *merging) reclaim(ctx context.Context, from, into int64) error {
	q, now := m.Runner.Store.Queries(m.conn), store.Timestamp(m.now.Time())
	err := q.IdentitiesReclaim(ctx, db.IdentitiesReclaimParams{
		Name: m.reclaims, FromID: from, IntoID: into, Now: now, SeenAt: store.Timestamp(resolve.Day(m.now).Time()),
	})
	if err == nil {
		_, err = q.IdentitiesTrim(ctx, db.IdentitiesTrimParams{Owners: []string{m.into}, Most: int32(m.IDs.Most(resolve.Anonymous)), Now: now})
	}
	if err != nil {
		return fmt.Errorf("give the shared id to the user: %w", err)
	}
	m.detached = true // what is cached of the id does not hold any more
	return nil
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

// checkIDs returns an error if two contacts have more ids of a kind together than one may. Of
// anonymous ids the merge itself detaches some.
func (m *merging) checkIDs(ctx context.Context, from, into int64) error {
	if resolve.IsVisitor(m.from) {
		return nil
	}
	rows, err := m.Runner.Store.Queries(m.conn).IdentitiesCount(ctx, db.IdentitiesCountParams{FromID: from, IntoID: into})
	if err != nil {
		return fmt.Errorf("count ids: %w", err)
	}
	for _, row := range rows {
		if row.Kind != resolve.User && row.Kind != resolve.Anonymous && int(row.Ids) > m.IDs.Most(row.Kind) {
			return ErrTooManyIDs
		}
	}
	return nil
}

// checkNumber returns an error if too many contacts became one lately.
func (m *merging) checkNumber(ctx context.Context, into int64) error {
	since := m.Runner.Now().Time().Add(-resolve.AutomaticSpan)
	n, err := m.Runner.Store.Queries(m.conn).MergesLately(ctx, db.MergesLatelyParams{ContactID: into, Since: store.Timestamp(since), Most: resolve.MaxAutomatic})
	switch {
	case err != nil:
		return fmt.Errorf("count merges: %w", err)
	case n >= resolve.MaxAutomatic:
		return ErrTooMany
	default:
		return nil
	}
}
