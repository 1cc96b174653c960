package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Tolerance is how far a clock may be from the database's and still count as showing the same time.
const Tolerance = time.Minute

// Shares reports whether decisions go by the database's clock although the process's clock is ahead
// of it, or behind, by so much.
func (s *Store) Shares(ahead time.Duration) bool { return !s.OwnTime && ahead.Abs() <= Tolerance }

// shared returns the instant of a deployment, chosen as [Loaded.Clock] does, since users follow the
// deployment at that instant.
func (s *Store) shared(ctx context.Context, q *db.Queries, clock table.Instant) (table.Instant, error) {
	seen, err := q.GenerationSeen(ctx)
	if err != nil {
		return clock, fmt.Errorf("read the database's clock: %w", err)
	}
	if at := instant(seen.At); s.Shares(clock.Sub(at)) {
		return at, nil
	}
	return clock, nil
}

// Clock returns the time at which to decide about a loaded user, by the clock of the process.
//
// It is the database's time, unless the clock is far from that. The transaction that decided about
// the user before read the database's clock under the same lock. So the user's time does not go
// back, whatever the clocks of the processes show. A clock that is far away counts as it is. Then
// the contact keeps the user's time (decided_at), which is a part of the state. A contact without
// one may have been decided about at any time up to the database's.
func (ld *Loaded) Clock(name string, clock table.Instant) table.Instant {
	u := ld.users[name]
	switch {
	case ld.store.Shares(clock.Sub(ld.time)):
		return ld.time
	case ld.store.OwnTime, u.created, u.contact.DecidedAt.Valid:
		return clock
	default:
		return max(clock, ld.time)
	}
}

// decidedAt returns the time of the user that the contact keeps after a session, and whether it has
// to be written although nothing else of the contact changes.
func (ld *Loaded) decidedAt(u *user, c *decide.Changes) (at pgtype.Timestamptz, write bool) {
	was := u.contact.DecidedAt
	switch now := c.Now; {
	case now == table.Unset: // no time passed
		return was, false
	case now == ld.time: // by the database's clock
		return pgtype.Timestamptz{}, was.Valid
	case now < ld.time && !was.Valid && !ld.store.OwnTime: // a replay
		return was, false
	case was.Valid && instant(was) == now:
		return was, false
	default:
		return timestamp(now), now > ld.time || !c.Replayed
	}
}
