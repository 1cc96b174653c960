package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// sweep is the yardstick of the clock: only the writes that due users need, without any decision.
// Each statement locks some (the due row, too, because one that was swept meanwhile may still be
// seen), closes their stays, logs that and deletes their due instants, on several connections at
// once.
type sweep struct{ connections int }

var sweeps = []sweep{{1}, {2}, {4}}

func (s sweep) String() string { return fmt.Sprintf("%d connections", s.connections) }

const sweepStatement = `with taken as materialized (
		select d.contact_id, d.bucket_no, d.due_at
		from bucketgen.due d join bucketgen.contacts c on c.id = d.contact_id
		where d.due_at <= $1
		order by d.due_at
		limit 500
		for no key update of c, d skip locked
	), gone as (
		update bucketgen.memberships m set left_at = t.due_at, reason = 'criteria'
		from taken t where m.contact_id = t.contact_id and m.bucket_no = t.bucket_no and m.entry_count = 1
		returning m.contact_id, m.bucket_no, m.entry_count, m.id, m.left_at
	), logged as (
		insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source, reason)
		select g.contact_id, g.bucket_no, g.entry_count, 'left', g.id, g.left_at, $1, 'clock', 'criteria' from gone g
	)
	delete from bucketgen.due d using taken t where d.contact_id = t.contact_id and d.bucket_no = t.bucket_no`

// run lets users be due, sweeps them, and returns how many a second.
func (s sweep) run(ctx context.Context, d *dueUsers, users int) (float64, error) {
	if err := d.becomeDue(ctx, users, time.Now(), 0); err != nil {
		return 0, err
	}
	var swept atomic.Int64
	began := time.Now()
	err := together(s.connections, func(int) error {
		for {
			tag, err := d.pool.Exec(ctx, sweepStatement, began)
			if err != nil || tag.RowsAffected() == 0 {
				return err
			}
			swept.Add(tag.RowsAffected())
		}
	})
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	if n := int(swept.Load()); n != users {
		return 0, fmt.Errorf("swept %d users, want %d", n, users)
	}
	return float64(users) / took.Seconds(), nil
}
