package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// expire measures how fast anonymous contacts go that are all due within a second, while events of
// users come in: the clock ends them, and the sweep of the background deletes their rows. What
// ingest is without that is measured before, in the same run and at the same pace.
func expire(ctx context.Context, pool *pgxpool.Pool, o options) error {
	w := workload{users: o.users}
	r, err := registryOf(append(w.definitions(o.buckets), noticed())...)
	if err != nil {
		return err
	}
	// Rows of contacts that were in a bucket wait for feeds this long, and no longer.
	config := engine.Config{NoClock: true, NoDelivery: true, Flushers: o.flushers, FeedAge: time.Second}
	if err := with(ctx, pool, r, config, func(e *engine.Engine) error { return fill(ctx, e, pool, w, o.stored) }); err != nil {
		return err
	}
	v := &visitors{pool: pool, n: o.expire}
	if err := v.fill(ctx); err != nil {
		return err
	}
	config.NoClock = false
	return with(ctx, pool, r, config, func(e *engine.Engine) error { return besideExpiry(ctx, e, v, w, o) })
}

// noticed returns a bucket that includes anonymous contacts.
func noticed() ir.Definition {
	signed := &ir.Node{Op: ir.OpEvent, Event: &ir.EventCheck{Name: "newsletter", Operator: ir.Gte, Count: 1}}
	return ir.Definition{ID: "noticed", Kind: ir.Dynamic, Anonymous: true, Criteria: signed}
}

// besideExpiry lets events come in at half of their peak, first alone and then until all visitors
// are gone, and prints both.
func besideExpiry(ctx context.Context, e *engine.Engine, v *visitors, w workload, o options) error {
	events := w.events(1, sample)
	o.span = o.warm
	if _, _, err := ingest(ctx, e, events, o, 0); err != nil {
		return err
	}
	o.span = o.lead * steadySpans
	peak, _, err := ingest(ctx, e, events, o, 0)
	if err != nil {
		return err
	}
	alone, took, err := ingest(ctx, e, events, o, peak/2)
	if err != nil {
		return err
	}
	_, quiet := percentiles(took)
	if err := v.becomeDue(ctx); err != nil {
		return err
	}
	time.Sleep(time.Until(v.due))

	used, err := newCost(ctx, v.pool)
	if err != nil {
		return err
	}
	done := newLoad(ctx, v.pool)
	var beside float64
	err = done.count(ctx, func() error {
		stop := used.count()
		defer stop()
		var gone atomic.Bool
		failed := make(chan error, 1)
		go func() { failed <- v.waitGone(ctx, &gone) }()
		var err error
		beside, took, err = ingestWhile(ctx, e, events, o, peak/2, func() bool { return !gone.Load() })
		return errors.Join(err, <-failed)
	})
	if err != nil {
		return err
	}
	_, busy := percentiles(took)
	fmt.Printf("%d anonymous contacts due within %s, half of them members, %d buckets, %d callers\n", v.n, time.Duration(v.n)*time.Microsecond, o.buckets+1, o.callers)
	v.print()
	fmt.Printf("ingest at half of its peak of %.0f events/s: alone %.0f events/s, p99 %s; beside expiry %.0f events/s, p99 %s\n", peak, alone, quiet, beside, busy)
	used.print(int64(v.n), "contact, with the ingest beside")
	done.print(int64(v.n), "contact, with the ingest beside")
	fmt.Printf("ratio of ingest beside expiry to ingest alone: %.3f of events/s, %.1f of p99\n", beside/alone, busy.Seconds()/quiet.Seconds())
	return v.checkNothingLeft(ctx)
}

// visitors are anonymous contacts that expire.
type visitors struct {
	pool     *pgxpool.Pool
	n        int
	from, to int64 // the first and the last of their contacts
	due      time.Time
	ended    time.Duration // after due, the clock had ended all
	first    time.Duration // after due, the first rows were gone
	gone     time.Duration // after due, all rows were gone
}

// fill makes visitors, each with two events of long ago. Every second is a member of the bucket.
func (v *visitors) fill(ctx context.Context) error {
	for _, sql := range []string{
		`insert into bucketgen.event_names (name) values ('visit'), ('newsletter') on conflict do nothing`,
		`insert into bucketgen.contacts (user_id, created_at, updated_at, generation)
			select chr(1) || 'anonymous' || chr(1) || 'visitor-' || lpad(i::text, 8, '0'), now() - interval '60 days', now() - interval '60 days', (select no from bucketgen.generation)
			from generate_series(1, ` + strconv.Itoa(v.n) + `) i`,
		`create table visitors as
			select row_number() over (order by c.id) as i, c.id from bucketgen.contacts c where starts_with(c.user_id, chr(1) || 'anonymous' || chr(1))`,
		`create unique index on visitors (i)`,
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
			select v.id, n.no, now() - interval '50 days', now() - interval '50 days', 'track', '{"page": "/", "referrer": "https://example.com/"}'
			from visitors v cross join bucketgen.event_names n
			cross join lateral generate_series(1, case when n.name = 'newsletter' then (v.i % 2)::integer else 2 - (v.i % 2)::integer end) k
			where n.name in ('visit', 'newsletter')`,
		`insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, source)
			select v.id, b.no, 1, now() - interval '50 days', 'event' from visitors v cross join bucketgen.buckets b where b.id = 'noticed' and v.i % 2 = 1`,
		`insert into bucketgen.transitions (contact_id, bucket_no, entry_count, kind, membership_id, at, decided_at, source, name_kind)
			select m.contact_id, m.bucket_no, 1, 'entered', m.id, m.entered_at, m.entered_at, 'event', 'anonymous'
			from bucketgen.memberships m join visitors v on v.id = m.contact_id`,
		`vacuum analyze`, `checkpoint`,
	} {
		if _, err := v.pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make visitors: %w", err)
		}
	}
	return v.pool.QueryRow(ctx, "select min(v.id), max(v.id) from visitors v").Scan(&v.from, &v.to)
}

// becomeDue lets the visitors expire, each a microsecond after the one before, at instants that are
// to come when their rows are written.
func (v *visitors) becomeDue(ctx context.Context) error {
	v.due = time.Now().Add(5*time.Second + time.Duration(v.n)*20*time.Microsecond).Truncate(time.Microsecond)
	_, err := v.pool.Exec(ctx, `insert into bucketgen.due (contact_id, bucket_no, due_at) select v.id, -1, $1::timestamptz - ($2 - v.i) * interval '1 microsecond' from visitors v order by v.i`, v.due, v.n)
	if err != nil {
		return fmt.Errorf("make visitors due: %w", err)
	}
	if _, err = v.pool.Exec(ctx, `vacuum analyze bucketgen.due`); err != nil {
		return fmt.Errorf("make visitors due: %w", err)
	}
	if time.Now().After(v.due) {
		return errors.New("visitors were due before all of that was written: the machine is too slow for this number")
	}
	return nil
}

// waitGone waits until no visitor is left and notes when what happened. In the end gone is set. It
// asks by indexes, so that it costs next to nothing: for a few visitors until none of them is left.
func (v *visitors) waitGone(ctx context.Context, gone *atomic.Bool) error {
	defer gone.Store(true)
	const some = `select (select count(*) from bucketgen.due d where d.contact_id = any ($1) and d.bucket_no = -1),
		(select count(*) from bucketgen.contacts c where c.id = any ($1))`
	const anyDue = `select exists (select from bucketgen.due d where d.due_at between $1::timestamptz - $2 * interval '1 microsecond' and $1 and d.bucket_no = -1)`
	const anyLeft = `select exists (select from visitors v join bucketgen.contacts c on c.id = v.id)`
	ids := v.some()
	for deadline := time.Now().Add(time.Minute + time.Duration(v.n)*2*time.Millisecond); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var due, there int
		if err := v.pool.QueryRow(ctx, some, ids).Scan(&due, &there); err != nil {
			return fmt.Errorf("ask for visitors: %w", err)
		}
		at := time.Since(v.due)
		if there < len(ids) && v.first == 0 {
			v.first = at
		}
		more := true
		if due == 0 && v.ended == 0 {
			if err := v.pool.QueryRow(ctx, anyDue, v.due, v.n).Scan(&more); err != nil {
				return fmt.Errorf("ask for visitors that are due: %w", err)
			}
			if !more {
				v.ended = at
			}
		}
		if there > 0 || v.ended == 0 {
			continue
		}
		if err := v.pool.QueryRow(ctx, anyLeft).Scan(&more); err != nil {
			return fmt.Errorf("ask for visitors: %w", err)
		}
		if !more {
			v.gone = at
			return nil
		}
	}
	return errors.New("not all visitors have expired in time")
}

// some returns a few hundred of the visitors, evenly spread. Their ids are consecutive.
func (v *visitors) some() []int64 {
	var ids []int64
	for id := v.from; id <= v.to; id += max(1, int64(v.n)/300) {
		ids = append(ids, id)
	}
	return ids
}

func (v *visitors) print() {
	rate := func(d time.Duration) float64 { return float64(v.n) / d.Seconds() }
	fmt.Printf("ended: %.0f contacts/s, within %s\n", rate(v.ended), v.ended.Round(time.Millisecond))
	fmt.Printf("deleted: %.0f contacts/s, within %s of the first\n", rate(v.gone-v.first), (v.gone - v.first).Round(time.Millisecond))
	fmt.Printf("both together: %.0f contacts/s, none was left after %s\n", rate(v.gone), v.gone.Round(time.Millisecond))
}

// checkNothingLeft fails if rows of visitors are left: then the measurement is void.
func (v *visitors) checkNothingLeft(ctx context.Context) error {
	var left int
	err := v.pool.QueryRow(ctx, `select (select count(*) from bucketgen.events t join visitors v on v.id = t.contact_id)
		+ (select count(*) from bucketgen.memberships t join visitors v on v.id = t.contact_id)
		+ (select count(*) from bucketgen.transitions t join visitors v on v.id = t.contact_id)
		+ (select count(*) from bucketgen.due t join visitors v on v.id = t.contact_id)`).Scan(&left)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d rows of contacts are left that have expired", left)
	}
	return err
}
