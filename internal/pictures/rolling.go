package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/picture"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// lanes are the rows of the timeline.
var lanes = []string{"old process 1", "old process 2", "new process", "backfill", "joins paying"}

// happening is something that happened in a lane. A lane is filled from a mark that begins
// something to one that ends it.
type happening struct {
	at     time.Time
	lane   int
	text   string
	begins bool
	ends   bool
}

// rolling is a deployment that is rolled out over processes.
type rolling struct {
	pool  *pgxpool.Pool
	marks []happening
}

// rollingDeploy rolls a deployment out over two old processes and a new one, and draws when what
// happened.
func rollingDeploy(ctx context.Context, server *postgres.Server) ([]byte, error) {
	pool, drop, err := database(ctx, server, "rolling")
	if err != nil {
		return nil, err
	}
	defer drop()
	r := &rolling{pool: pool}
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	return r.draw(), nil
}

func (r *rolling) run(ctx context.Context) error {
	plan := bucket.Text("plan")
	pro := bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")})
	paying := bucket.Define(bucket.Spec{ID: "paying", Criteria: plan.In("pro", "team")})
	first, err1 := r.start(ctx, 0, pro)
	second, err2 := r.start(ctx, 1, pro)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for i := range 200 {
		if err := ingest(ctx, first, fmt.Sprint("user-", i), "team"); err != nil {
			return err
		}
	}
	next, err := r.start(ctx, 2, pro, paying)
	if err != nil {
		return err
	}
	if _, err := next.Deploy(ctx, engine.DeployOptions{}); err != nil {
		return err
	}
	if err := ingest(ctx, second, "by an old process", "pro"); err != nil {
		return err
	}
	if _, err := next.Deployments().Backfill(ctx, nil); err != nil {
		return err
	}
	if err := r.joined(ctx, "by an old process"); err != nil {
		return err
	}
	if err := r.stop(ctx, first, 0); err != nil {
		return err
	}
	if err := ingest(ctx, next, "by the new process", "team"); err != nil {
		return err
	}
	if err := errors.Join(r.stop(ctx, second, 1), r.stop(ctx, next, 2)); err != nil {
		return err
	}
	return r.read(ctx)
}

func ingest(ctx context.Context, e *engine.Engine, user, plan string) error {
	_, err := e.Ingest(ctx, engine.Event{UserID: user, Traits: map[string]any{"plan": plan}})
	return err
}

// start starts a process.
func (r *rolling) start(ctx context.Context, lane int, definitions ...bucket.Definition) (*engine.Engine, error) {
	built, err := registrytest.Of(definitions...)
	if err != nil {
		return nil, err
	}
	e, err := engine.New(r.pool, built, engine.Config{})
	if err != nil {
		return nil, err
	}
	r.marks = append(r.marks, happening{at: time.Now(), lane: lane, text: "starts", begins: true})
	return e, e.Start(ctx)
}

func (r *rolling) stop(ctx context.Context, e *engine.Engine, lane int) error {
	err := e.Stop(ctx)
	r.marks = append(r.marks, happening{at: time.Now(), lane: lane, text: "stopped", ends: true})
	return err
}

// joined waits until a user is in the new bucket.
func (r *rolling) joined(ctx context.Context, user string) error {
	for poll := time.NewTicker(10 * time.Millisecond); ; <-poll.C {
		var is bool
		err := r.pool.QueryRow(ctx, `select exists (select from bucketgen.transitions t join bucketgen.contacts c on c.id = t.contact_id
			join bucketgen.buckets b on b.no = t.bucket_no where c.user_id = $1 and b.id = 'paying')`, user).Scan(&is)
		if err != nil || is {
			return err
		}
	}
}

// read adds what the database has of the deployment and of the joins.
func (r *rolling) read(ctx context.Context) error {
	var deployed, finished time.Time
	if err := r.pool.QueryRow(ctx, "select at, finished_at from bucketgen.deployments order by no desc limit 1").Scan(&deployed, &finished); err != nil {
		return err
	}
	r.marks = append(r.marks, happening{at: deployed, lane: 3, text: "deployment", begins: true}, happening{at: finished, lane: 3, text: "200 users followed", ends: true})
	rows, err := r.pool.Query(ctx, `select min(t.decided_at), t.source, count(*), min(c.user_id) from bucketgen.transitions t
		join bucketgen.contacts c on c.id = t.contact_id join bucketgen.buckets b on b.no = t.bucket_no
		where b.id = 'paying' group by t.source, case when c.user_id like 'user-%' then '' else c.user_id end order by 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		m := happening{lane: 4}
		var source, user string
		var n int
		if err := rows.Scan(&m.at, &source, &n, &user); err != nil {
			return err
		}
		m.text = fmt.Sprintf("%d by %s", n, source)
		if n == 1 {
			m.text = fmt.Sprintf("1 %s", user)
		}
		r.marks = append(r.marks, m)
	}
	return rows.Err()
}

// draw draws the marks in their order. Their distances are not to scale.
func (r *rolling) draw() []byte {
	slices.SortStableFunc(r.marks, func(a, b happening) int { return a.at.Compare(b.at) })
	const left, step, top, high = 130, 104, 40, 54
	width := left + step*len(r.marks) + 60
	p := picture.New(width, top+high*len(lanes)+50)
	for lane, name := range lanes {
		y := top + high*lane + 24
		p.Text("strong", "start", 10, y+5, name)
		p.Line("faint", left, y, width-20, y)
		from := -1
		for i, m := range r.marks {
			switch x := left + step*i; {
			case m.lane == lane && m.begins:
				from = x
			case m.lane == lane && m.ends && from >= 0:
				p.Box(map[bool]string{true: "warn", false: "mark"}[lane < 2], from, y-6, x-from, 12)
				from = -1
			}
		}
	}
	for i, m := range r.marks {
		x, y := left+step*i, top+high*m.lane+24
		p.Dot("good", x, y)
		p.Text("small", "middle", x, y-14, m.text)
		p.Text("small", "middle", x, top+high*len(lanes)+12, fmt.Sprintf("%d ms", m.at.Sub(r.marks[0].at).Milliseconds()))
	}
	p.Text("small", "start", 10, top+high*len(lanes)+38, "From a run; distances are not to scale. Old processes skip the bucket paying; the new one evaluates users whom they touched.")
	return p.SVG("Timeline of a rolling deployment: two old processes, a new one, the backfill, and joins of the new bucket")
}
