package subject

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// What is stored is read past the engine, which hides the deleted, and those who have expired, by
// the name that they had.
const (
	storedUsers = `
(
	select u.id, u.user_id from bucketgen.contacts u where u.user_id = any ($1)
	union all
	select u.id, n.name from unnest($1::text[]) n (name) join bucketgen.contacts u on u.user_id = n.name || chr(1) || u.id
) c`

	storedTransitions = `
select c.user_id, b.id, t.kind, t.entry_count, t.at, t.source, coalesce(t.reason, ''), t.suppressed, t.tick, t.dwell_count
from bucketgen.transitions t
join ` + storedUsers + ` on c.id = t.contact_id
join bucketgen.buckets b on b.no = t.bucket_no
order by t.id`

	storedStays = `
select c.user_id, b.id, m.entry_count, m.source, coalesce(m.reason, ''), m.entered_at, m.left_at
from bucketgen.memberships m
join ` + storedUsers + ` on c.id = m.contact_id
join bucketgen.buckets b on b.no = m.bucket_no
order by c.user_id, b.id, m.entry_count`
)

func (s *session) history(ctx context.Context, pool *pgxpool.Pool) (*refeval.History, error) {
	var users []string
	for i := range s.steps {
		step := &s.steps[i]
		users = append(users, step.User, step.Into)
		if step.Email != "" {
			users = append(users, engine.By(engine.KindEmail, step.Email))
		}
		if step.Anonymous != "" {
			name := engine.By(engine.KindAnonymous, step.Anonymous)
			users = append(users, name, resolve.Name(resolve.Shared, name))
		}
	}
	slices.Sort(users)
	users = slices.Compact(users)
	h := &refeval.History{Steps: s.results}
	rows, err := pool.Query(ctx, storedTransitions, users)
	if err != nil {
		return nil, err
	}
	h.Transitions, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t refeval.Transition, err error) {
		err = row.Scan(&t.User, &t.Bucket, &t.Kind, &t.EntryCount, &t.At, &t.Source, &t.Reason, &t.Suppressed, &t.Tick, &t.DwellCount)
		return t, err
	})
	if err != nil {
		return nil, err
	}
	if rows, err = pool.Query(ctx, storedStays, users); err != nil {
		return nil, err
	}
	h.Stays, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (stay refeval.Stay, err error) {
		var left *time.Time
		err = row.Scan(&stay.User, &stay.Bucket, &stay.EntryCount, &stay.Source, &stay.Reason, &stay.EnteredAt, &left)
		if left != nil {
			stay.LeftAt = *left
		}
		return stay, err
	})
	return h, err
}
