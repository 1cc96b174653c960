package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// derivation is the yardstick of the backfill: SQL that knows the one condition, and adds the users
// for whom it holds to a bucket of its own, with due instant and log. It goes through users in
// pages, on several connections at once. If it notes who has followed, it rewrites each contact, as
// the engine must; otherwise only users who join cost anything.
type derivation struct {
	connections int
	notes       bool
}

var derivations = []derivation{{1, false}, {2, false}, {4, false}}

func (d derivation) String() string {
	if d.notes {
		return fmt.Sprintf("%d connections, and contacts written anew", d.connections)
	}
	return fmt.Sprintf("%d connections", d.connections)
}

const derivedBucket = "1000000" // its number, which no other has

const deriveStatement = `with third as materialized (
		select c.id, e.occurred_at
		from bucketgen.contacts c cross join lateral (
			select k.occurred_at from bucketgen.events k
			where k.contact_id = c.id and k.event_no = $5
			order by k.occurred_at desc offset 2 limit 1
		) e
		where c.id > $1 and c.id <= $2 and c.properties ->> 'plan' = 'pro' and e.occurred_at > $3::timestamptz - $4::interval
	), joined as (
		insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, source)
		select t.id, ` + derivedBucket + `, 1, $3, 'backfill' from third t
		returning contact_id, bucket_no, entry_count, id
	), logged as (
		insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source, suppressed)
		select j.contact_id, j.bucket_no, j.entry_count, 'entered', j.id, $3, $3, 'backfill', true from joined j
	)
	insert into bucketgen.due (contact_id, bucket_no, due_at)
	select t.id, ` + derivedBucket + `, t.occurred_at + $4::interval from third t`

const noteStatement = `update bucketgen.contacts set generation = generation where id > $1 and id <= $2`

// run derives and returns how many users a second it went through, and how many joined. It leaves
// nothing behind: whatever else is in the tables goes, too.
func (d derivation) run(ctx context.Context, pool *pgxpool.Pool, window time.Duration) (float64, int64, error) {
	const page = 500
	var last int64
	var event int32
	if err := pool.QueryRow(ctx, `select (select max(id) from bucketgen.contacts), (select no from bucketgen.event_names where name = 'purchase')`).Scan(&last, &event); err != nil {
		return 0, 0, err
	}
	var next, joined atomic.Int64
	began := time.Now()
	err := together(d.connections, func(int) error {
		for {
			upto := next.Add(page)
			if upto-page >= last {
				return nil
			}
			var b pgx.Batch
			b.Queue(deriveStatement, upto-page, upto, began, window, event).Exec(func(tag pgconn.CommandTag) error {
				joined.Add(tag.RowsAffected())
				return nil
			})
			if d.notes {
				b.Queue(noteStatement, upto-page, upto)
			}
			if err := pool.SendBatch(ctx, &b).Close(); err != nil {
				return err
			}
		}
	})
	rate := float64(last) / time.Since(began).Seconds()
	if err != nil {
		return 0, 0, err
	}
	// Deleting would leave pages without rows, by which the planner goes for long.
	if _, err := pool.Exec(ctx, "truncate bucketgen.memberships, bucketgen.transitions, bucketgen.due"); err != nil {
		return 0, 0, fmt.Errorf("leave nothing behind: %w", err)
	}
	_, err = pool.Exec(ctx, "checkpoint")
	return rate, joined.Load(), err
}
