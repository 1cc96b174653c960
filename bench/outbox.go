package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/engine/webhook"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/registry"
)

// outboxed is an outbox of one number of users, filled by SQL with transitions that did not go out while nothing ran.
type outboxed struct {
	pool     *pgxpool.Pool
	registry *registry.Registry
	users    int
	span     time.Duration
	stop     []func()
}

// way is a way out of the outbox.
type way struct {
	name          string
	subscriptions int
	failing       bool // of one user every delivery fails
}

const outboxBucket = "outbox"

// outbox measures deliveries a second from backlogs of several sizes, by handlers, a forwarder and webhooks that do nothing, and
// prints how much the size of the backlog changes that.
func outbox(ctx context.Context, server *postgres.Server, o options) error {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	var sizes []int
	for _, n := range []int{1_000, 40_000, 1_000_000} {
		if n < o.backlog {
			sizes = append(sizes, n)
		}
	}
	sizes = append(sizes, o.backlog)
	var worst, least float64
	for _, users := range []int{300, 100_000} {
		b, err := openOutbox(ctx, server, users, sizes[len(sizes)-1], o.span)
		if err != nil {
			return err
		}
		for _, w := range []way{{"handlers", 1, false}, {"a forwarder", 1, false}, {"webhooks", 1, false}, {"handlers", 1, true}, {"handlers", 26, false}} {
			var rates []float64
			for _, size := range sizes {
				rate, err := b.measure(ctx, w, size)
				if err != nil {
					return errors.Join(fmt.Errorf("%d users, %v, %d: %w", users, w, size, err), b.close())
				}
				rates = append(rates, rate)
			}
			ratio := slices.Max(rates) / slices.Min(rates)
			worst = max(worst, ratio)
			if least == 0 || slices.Min(rates) < least {
				least = slices.Min(rates)
			}
			printRates(users, w, sizes, rates, ratio)
		}
		if err := b.close(); err != nil {
			return err
		}
	}
	fmt.Printf("the least rate is %.0f deliveries/s, and the largest ratio of a rate to that of another backlog %.2f\n", least, worst)
	return river(ctx, server, sizes, o.span)
}

// river prints how many jobs a second River works that do nothing, on the same server. Its program is a module of its own.
func river(ctx context.Context, server *postgres.Server, backlogs []int, span time.Duration) error {
	admin, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		return err
	}
	_, err = admin.Exec(ctx, "create database river")
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return err
	}
	var parts []string
	for _, backlog := range backlogs {
		if backlog < 10_000 {
			continue // River is done with it before a rate can be measured
		}
		cmd := exec.CommandContext(ctx, "go", "run", ".", "-database", server.Database("river"), "-jobs", strconv.Itoa(backlog), "-span", span.String())
		cmd.Dir, cmd.Stderr = "bench/river", os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("river: %w; run -outbox in the module's own folder", err)
		}
		parts = append(parts, fmt.Sprintf("%7s/s of %d", strings.TrimSpace(string(out)), backlog))
	}
	fmt.Printf("River, jobs that do nothing: %s\n", strings.Join(parts, ", "))
	return nil
}

func printRates(users int, w way, sizes []int, rates []float64, ratio float64) {
	var parts []string
	for i, rate := range rates {
		parts = append(parts, fmt.Sprintf("%7.0f/s of %d", rate, sizes[i]))
	}
	what := w.name
	if w.subscriptions > 1 {
		what = fmt.Sprintf("%s of %d subscriptions", what, w.subscriptions)
	}
	if w.failing {
		what += ", one user fails"
	}
	fmt.Printf("%7d users, %-32s %s, ratio %.2f\n", users, what+":", strings.Join(parts, ", "), ratio)
}

// openOutbox makes a database with so many transitions of so many users, who join and leave one bucket in turns.
func openOutbox(ctx context.Context, server *postgres.Server, users, transitions int, span time.Duration) (*outboxed, error) {
	plan := "pro"
	r, err := registryOf(ir.Definition{ID: outboxBucket, Kind: ir.Dynamic, Criteria: &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{
		Name: "plan", Type: ir.Text, Operator: ir.Eq, Value: &ir.Value{Text: &plan},
	}}})
	if err != nil {
		return nil, err
	}
	admin, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("outbox_%d", users)
	_, err = admin.Exec(ctx, "create database "+name)
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return nil, err
	}
	b := &outboxed{registry: r, users: users, span: span}
	if b.pool, err = connect(ctx, server.Database(name)); err != nil {
		return nil, err
	}
	if _, err := migrate.Up(ctx, b.pool, migrate.Options{}); err != nil {
		return nil, err
	}
	if err := with(ctx, b.pool, r, engine.Config{NoClock: true, NoDelivery: true}, func(*engine.Engine) error { return nil }); err != nil {
		return nil, err
	}
	for _, sql := range []string{
		`insert into bucketgen.contacts (user_id, email, properties, created_at, updated_at, generation)
			select 'user-' || i, 'user-' || i || '@example.com', jsonb_build_object('plan', case when last.n % 2 = 1 then 'pro' else 'free' end), now(), localtimestamp, g.no
			from bucketgen.generation g, generate_series(1, @users) i, lateral (select (@transitions + @users - i) / @users as n) last`,
		`insert into bucketgen.memberships (contact_id, bucket_no, epoch, entered_at, left_at, source, reason)
			select u + 1, b.no, e + 1, at.began, at.ended, 'event', case when at.ended is not null then 'criteria' end
			from bucketgen.buckets b, generate_series(0, @transitions - 1) i, lateral (select i % @users as u, i / @users / 2 as e, i / @users % 2 as left) x,
				lateral (
					select now() - interval '1 day' + i * interval '10 ms' as began,
						case when i + @users < @transitions then now() - interval '1 day' + (i + @users) * interval '10 ms' end as ended
				) at
			where x.left = 0`,
		`insert into bucketgen.transitions (contact_id, bucket_no, epoch, kind, membership_id, at, decided_at, source, reason)
			select m.contact_id, m.bucket_no, m.epoch, case x.left when 0 then 'entered' else 'left' end, m.id, at.at, at.at + interval '0', 'event',
				case x.left when 1 then 'criteria' end
			from generate_series(0, @transitions - 1) i, lateral (select i % @users as u, i / @users / 2 as e, i / @users % 2 as left) x
			join bucketgen.memberships m on m.contact_id = x.u + 1 and m.epoch = x.e + 1,
				lateral (select now() - interval '1 day' + i * interval '10 ms' as at) at
			order by i`,
		`analyze`,
	} {
		if _, err := b.pool.Exec(ctx, named(sql, users, transitions)); err != nil {
			return nil, fmt.Errorf("make users and transitions: %w", err)
		}
	}
	return b, nil
}

// named puts the numbers into a statement.
func named(sql string, users, transitions int) string {
	return strings.NewReplacer("@users", strconv.Itoa(users), "@transitions", strconv.Itoa(transitions)).Replace(sql)
}

// fill puts the first transitions into the outbox, for each subscription an equal part.
func (b *outboxed) fill(ctx context.Context, backlog, subscriptions int) error {
	_, err := b.pool.Exec(ctx, `insert into bucketgen.deliveries (contact_id, subscription_no, bucket_no, transition_id, next_at)
		select t.contact_id, s.no, t.bucket_no, t.id, t.decided_at
		from (select * from bucketgen.transitions order by id limit $1) t, bucketgen.subscriptions s
		order by t.id, s.no`, backlog/subscriptions)
	if err != nil {
		return fmt.Errorf("fill the outbox: %w", err)
	}
	return nil
}

// measure returns how many deliveries a second go out. What waits is bounded by the backlog, and so is what is delivered: of a small
// one it takes several.
func (b *outboxed) measure(ctx context.Context, w way, backlog int) (rate float64, err error) {
	if err := b.prepare(ctx, w); err != nil {
		return 0, err
	}
	for _, sql := range []string{"truncate bucketgen.deliveries", "vacuum analyze bucketgen.deliveries"} {
		if _, err := b.pool.Exec(ctx, sql); err != nil {
			return 0, err
		}
	}
	if backlog > 10_000 {
		if err := b.fill(ctx, backlog, w.subscriptions); err != nil {
			return 0, err
		}
	}
	if _, err := b.pool.Exec(ctx, "checkpoint"); err != nil {
		return 0, err
	}
	run := func(e *engine.Engine) error {
		if w.name == "webhooks" {
			hooks, err := webhook.New(e, b.pool, webhook.Config{AllowPrivate: true})
			if err != nil {
				return err
			}
			if err := hooks.Start(ctx); err != nil {
				return err
			}
			defer hooks.Stop(ctx)
		}
		rate, err = b.rate(ctx, e, w, backlog)
		return err
	}
	err = b.start(ctx, w, engine.Config{NoClock: true, DeliveryPoll: 5 * time.Millisecond}, run)
	for _, stop := range b.stop {
		stop()
	}
	b.stop = nil
	return rate, err
}

// rate counts deliveries for the span, or until the backlog is delivered.
func (b *outboxed) rate(ctx context.Context, e *engine.Engine, w way, backlog int) (float64, error) {
	delivered := func() int64 { return e.Stats().Delivered }
	wait := func(n int64, until time.Time) {
		for delivered() < n && time.Now().Before(until) {
			time.Sleep(200 * time.Microsecond)
		}
	}
	if backlog > 10_000 {
		wait(2_000, time.Now().Add(time.Minute)) // it has begun
		before, start := delivered(), time.Now()
		wait(int64(backlog-backlog/10), start.Add(b.span))
		return float64(delivered()-before) / time.Since(start).Seconds(), nil
	}
	var took time.Duration
	var counted int64
	for round := 0; took < b.span/2; round++ {
		target := int64(backlog / w.subscriptions * w.subscriptions)
		if w.failing {
			if _, err := b.pool.Exec(ctx, "truncate bucketgen.deliveries"); err != nil {
				return 0, err
			}
			target -= int64(backlog/b.users) + 1
		}
		before := delivered()
		if err := b.fill(ctx, backlog, w.subscriptions); err != nil {
			return 0, err
		}
		start := time.Now()
		begun := delivered()
		wait(before+target, start.Add(time.Minute))
		if round > 0 { // the first warms up
			took, counted = took+time.Since(start), counted+delivered()-begun
		}
	}
	return float64(counted) / took.Seconds(), nil
}

// prepare makes the subscriptions of a way known to the database, and no others.
func (b *outboxed) prepare(ctx context.Context, w way) error {
	for _, sql := range []string{"delete from bucketgen.subscriptions", "delete from bucketgen.endpoints", "delete from bucketgen.endpoint_secrets"} {
		if _, err := b.pool.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if w.name == "webhooks" {
		target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		b.stop = append(b.stop, target.Close)
		endpoints, err := webhook.Open(b.pool, webhook.Config{AllowPrivate: true})
		if err != nil {
			return err
		}
		_, err = endpoints.Create(ctx, webhook.Endpoint{Name: "bench", URL: target.URL, Batch: 100})
		return err
	}
	return b.start(ctx, w, engine.Config{NoClock: true, NoDelivery: true}, func(*engine.Engine) error { return nil })
}

// start runs something with an engine that delivers in some way.
func (b *outboxed) start(ctx context.Context, w way, c engine.Config, do func(*engine.Engine) error) error {
	e, err := engine.New(b.pool, b.registry, c)
	if err != nil {
		return err
	}
	if err := b.register(ctx, e, w); err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	return errors.Join(do(e), e.Stop(ctx))
}

func (b *outboxed) register(ctx context.Context, e *engine.Engine, w way) error {
	ref, _ := b.registry.Ref(outboxBucket)
	switch w.name {
	case "handlers":
		var calls atomic.Int64
		for i := range w.subscriptions {
			err := e.OnTransition(ref, engine.TransitionHandler{Name: fmt.Sprintf("handler %d", i), MaxAttempts: 1 << 20, Func: func(_ context.Context, t engine.Transition) error {
				calls.Add(1)
				if w.failing && t.UserID == "user-1" {
					return errors.New("it fails all the time")
				}
				return nil
			}})
			if err != nil {
				return err
			}
		}
	case "a forwarder":
		return e.Forward(ctx, engine.Forwarder{
			Name:          "forwarder",
			Subscriptions: []engine.Subscription{{Name: "forwarder", Kinds: []engine.Kind{engine.Entered, engine.Left}}},
			Func:          func(context.Context, []engine.Delivery) ([]error, error) { return nil, nil },
		})
	}
	return nil
}

func (b *outboxed) close() error {
	b.pool.Close()
	return nil
}
