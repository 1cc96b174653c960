package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
)

// clock measures how fast users are settled whose window has moved on: many who are due at one
// instant, and then some every moment while events of others come in. Each user is due once, and is
// one of many members.
func clock(ctx context.Context, pool *pgxpool.Pool, o options) error {
	w := workload{users: o.users}
	r, err := registryOf(append(w.definitions(o.buckets), buyers(o.window))...)
	if err != nil {
		return err
	}
	config := engine.Config{NoClock: true, NoDelivery: true, Flushers: o.flushers}
	if err := with(ctx, pool, r, config, func(e *engine.Engine) error { return fill(ctx, e, pool, w, o.stored) }); err != nil {
		return err
	}
	d := &dueUsers{pool: pool, window: o.window}
	steady := int(o.rate * (o.span.Seconds() * steadySpans))
	if err := d.fill(ctx, (1+len(sweeps))*o.rounds*o.clock+steady); err != nil {
		return err
	}
	if err := with(ctx, pool, r, config, func(e *engine.Engine) error { return burst(ctx, e, d, o) }); err != nil {
		return err
	}
	config.NoClock = false
	return with(ctx, pool, r, config, func(e *engine.Engine) error { return sustained(ctx, e, d, w, steady, o) })
}

// burst settles users who are all due at one instant, in turns with the yardstick, and prints the
// medians.
func burst(ctx context.Context, e *engine.Engine, d *dueUsers, o options) error {
	fmt.Printf("%d users due at one instant, of %d members, %d buckets, %d rounds\n", o.clock, d.users, o.buckets+1, o.rounds)
	var rates []float64
	bare := map[sweep][]float64{}
	used, err := newCost(ctx, d.pool)
	if err != nil {
		return err
	}
	done := newLoad(ctx, d.pool)
	for round := range o.rounds {
		for _, y := range sweeps {
			rate, err := y.run(ctx, d, o.clock)
			if err != nil {
				return fmt.Errorf("yardstick: %w", err)
			}
			bare[y] = append(bare[y], rate)
		}
		if err := d.becomeDue(ctx, o.clock, time.Now(), 0); err != nil {
			return err
		}
		run := func() error {
			stop, began := used.count(), time.Now()
			n, err := e.Clock().RunDue(ctx)
			stop()
			rates = append(rates, float64(n)/time.Since(began).Seconds())
			return err
		}
		if err := profiled(o.profile, func() error { return done.count(ctx, run) }); err != nil {
			return err
		}
		fmt.Printf("round %d: %.0f users/s\n", round+1, rates[round])
	}
	best := 0.0
	for _, y := range sweeps {
		fmt.Printf("yardstick, %s: %.0f users/s\n", y, median(bare[y]))
		best = max(best, median(bare[y]))
	}
	users := int64(o.clock * o.rounds)
	fmt.Printf("burst: %.0f users/s\n", median(rates))
	used.print(users, "user")
	done.print(users, "user")
	fmt.Printf("ratio to the best bare sweep: %.3f\n", median(rates)/best)
	return d.checkAllLeft(ctx)
}

// How long events come in at half of their peak, in spans of a round.
const steadySpans = 5

// sustained settles users as they come due, while events of others come in, and prints how late
// they were: as seen by a reader that waits for the commit.
func sustained(ctx context.Context, e *engine.Engine, d *dueUsers, w workload, users int, o options) error {
	const sample = 50_000
	events := w.events(1, sample)
	phase := func(span time.Duration, pace float64) (float64, error) {
		o.span = span
		rate, took, err := ingest(ctx, e, events, o, pace)
		p50, p99 := percentiles(took)
		fmt.Printf("%.0f events/s, p50 %s, p99 %s\n", rate, p50, p99)
		return rate, err
	}
	long := o.span * steadySpans
	fmt.Print("ingest, warming: ")
	if _, err := phase(o.warm, 0); err != nil {
		return err
	}
	fmt.Print("ingest at its peak: ")
	peak, err := phase(long, 0)
	if err != nil {
		return err
	}
	fmt.Print("ingest at half of it, no user due: ")
	if _, err := phase(long, peak/2); err != nil {
		return err
	}
	if err := d.becomeDue(ctx, users, time.Now().Add(5*time.Second), o.rate); err != nil {
		return err
	}
	time.Sleep(time.Until(d.last[0]))
	fmt.Printf("ingest at half of it, %.0f users a second due: ", o.rate)
	if _, err := phase(long, peak/2); err != nil {
		return err
	}
	return d.printLag(ctx, users)
}

// dueUsers are users of a bucket. Some of them come due at a time; each is handed out once.
type dueUsers struct {
	pool   *pgxpool.Pool
	window time.Duration
	users  int          // there are
	taken  int          // number of users who have been due
	last   [2]time.Time // when the first and the last of those that were taken last are due
}

// fill makes users who are members of the bucket, each with two events of long ago.
func (d *dueUsers) fill(ctx context.Context, users int) error {
	d.users = users
	for _, sql := range []string{
		`insert into bucketgen.event_names (name) values ('purchase') on conflict do nothing`,
		`insert into bucketgen.contacts (user_id, properties, created_at, updated_at, generation)
			select 'due-' || lpad(i::text, 8, '0'), '{"plan": "pro", "seats": 12}', now() - interval '60 days', now() - interval '60 days', (select no from bucketgen.generation)
			from generate_series(1, ` + strconv.Itoa(users) + `) i`,
		`create table due_users as
			select row_number() over (order by c.user_id) as i, c.id from bucketgen.contacts c where c.user_id like 'due-%'`,
		`create unique index on due_users (i)`,
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
			select u.id, n.no, now() - interval '50 days' + k * interval '1 day', now(), 'track', '{"amount": 12, "currency": "EUR"}'
			from due_users u cross join bucketgen.event_names n cross join generate_series(1, 2) k where n.name = 'purchase'`,
		`insert into bucketgen.memberships (contact_id, bucket_no, entry_count, entered_at, source)
			select u.id, b.no, 1, now() - interval '1 hour', 'event' from due_users u cross join bucketgen.buckets b where b.id = 'buyers'`,
		`vacuum analyze`, `checkpoint`,
	} {
		if _, err := d.pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// becomeDue makes a number of users due who never were: at an instant, or from it on at a rate per
// second.
func (d *dueUsers) becomeDue(ctx context.Context, users int, at time.Time, rate float64) error {
	step := time.Duration(0)
	if rate > 0 {
		step = time.Duration(float64(time.Second) / rate)
	}
	from, upto := d.taken, d.taken+users
	d.taken, d.last = upto, [2]time.Time{at, at.Add(time.Duration(users) * step)}
	// The third newest event leaves the window when the user is due.
	for _, sql := range []string{
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
			select u.id, n.no, @at::timestamptz + (u.i - @from - 1) * @step::interval - @window::interval + k * interval '1 hour', now(), 'track', '{"amount": 12, "currency": "EUR"}'
			from due_users u cross join bucketgen.event_names n cross join generate_series(0, 2) k
			where n.name = 'purchase' and u.i > @from and u.i <= @upto`,
		`insert into bucketgen.due (contact_id, bucket_no, due_at)
			select u.id, b.no, @at::timestamptz + (u.i - @from - 1) * @step::interval
			from due_users u cross join bucketgen.buckets b where b.id = 'buyers' and u.i > @from and u.i <= @upto`,
	} {
		_, err := d.pool.Exec(ctx, sql, pgx.NamedArgs{"at": at, "from": from, "upto": upto, "step": step, "window": d.window})
		if err != nil {
			return fmt.Errorf("make users due: %w", err)
		}
	}
	_, err := d.pool.Exec(ctx, `vacuum analyze bucketgen.due, bucketgen.events, bucketgen.memberships, bucketgen.transitions`)
	return err
}

// checkAllLeft fails if a user who was due is still a member, or one who was not is none: then the
// measurement is void.
func (d *dueUsers) checkAllLeft(ctx context.Context) error {
	var wrong int
	err := d.pool.QueryRow(ctx, `select count(*) from due_users u
		join bucketgen.memberships m on m.contact_id = u.id join bucketgen.buckets b on b.no = m.bucket_no and b.id = 'buyers'
		where (m.left_at is null) = (u.i <= $1)`, d.taken).Scan(&wrong)
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d users have not left, or have left who were not due", wrong)
	}
	return err
}

// printLag prints how long after their due instants users had left, and fails unless all have.
func (d *dueUsers) printLag(ctx context.Context, users int) error {
	for deadline := time.Now().Add(time.Minute); ; {
		var left int
		const due = `select count(*) from bucketgen.due d join due_users u on u.id = d.contact_id`
		if err := d.pool.QueryRow(ctx, due).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d users are still due", left)
		}
		time.Sleep(100 * time.Millisecond)
	}
	var p50, p99, worst float64
	err := d.pool.QueryRow(ctx, `select percentile_cont(0.5) within group (order by late), percentile_cont(0.99) within group (order by late), max(late)
		from (
			select 1000 * extract(epoch from pg_xact_commit_timestamp(t.xmin) - t.at) as late
			from bucketgen.transitions t join due_users u on u.id = t.contact_id where u.i > $1
		) l`, d.taken-users).Scan(&p50, &p99, &worst)
	if err != nil {
		return fmt.Errorf("ask how late users left: %w", err)
	}
	fmt.Printf("sustained: %d users, committed p50 %.0f ms, p99 %.0f ms, at most %.0f ms after they were due\n", users, p50, p99, worst)
	return d.checkAllLeft(ctx)
}
