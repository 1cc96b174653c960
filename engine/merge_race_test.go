package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

const mergeUsers = 16

// TestMergesBesideIngest merges users, several goroutines the same ones, while others let all of
// them do things by whichever of their names, by two engines of which each remembers them.
// Afterwards everything must be as if it had happened one thing after the other, which is what the
// reference evaluator is asked, and whatever was announced was delivered.
func TestMergesBesideIngest(t *testing.T) {
	t.Parallel()
	m := &mergeRace{crashTest: crashTest{pool: pgtest.New(t)}, seed: uint64(time.Now().UnixNano())}
	t.Logf("seed %d", m.seed)
	var err error
	if m.reg, err = crashRegistry(); err != nil {
		t.Fatal(err)
	}
	m.engines = []*engine.Engine{
		startEngine(t, m.pool, m.reg, engine.Config{DeliveryPoll: 5 * time.Millisecond, Lease: time.Hour}, func(e *engine.Engine) { m.listen(t, e) }),
		startEngine(t, m.pool, m.reg, engine.Config{NoClock: true, NoDelivery: true}, nil),
	}
	for i := range mergeUsers { // so that no user is created by anything that is not in the log
		m.ingest(t, m.engines[i%2], engine.Event{UserID: "u" + itoa(i), Name: "hello"})
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() { m.live(t, i) })
	}
	for i := range 3 {
		group.Go(func() { m.merge(t, i) })
	}
	group.Wait()
	until := time.Now().Truncate(time.Microsecond)
	if _, err := m.engines[1].Clock().RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.drain(t)
	m.checkReference(t, until)
	m.checkStored(t)
}

type mergeRace struct {
	crashTest

	seed    uint64
	engines []*engine.Engine

	mu        sync.Mutex
	delivered []engine.Transition
}

func (m *mergeRace) listen(t *testing.T, e *engine.Engine) {
	t.Helper()
	note := func(_ context.Context, tr engine.Transition) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.delivered = append(m.delivered, tr)
		return nil
	}
	for i := range m.reg.Tables().Buckets {
		ref := registry.NewRef(m.reg.Tables().Buckets[i].ID, table.BucketIndex(i))
		must(t, e.OnEnter(ref, engine.EnterHandler{Name: "entered " + ref.ID(), Func: note}))
		must(t, e.OnLeave(ref, engine.LeaveHandler{Name: "left " + ref.ID(), Func: note}))
	}
}

// ingest takes events in, which say in their payload by which name, for the log does not once users
// are merged.
func (m *mergeRace) ingest(t *testing.T, e *engine.Engine, events ...engine.Event) {
	t.Helper()
	for i := range events {
		events[i].Properties = map[string]any{"name": events[i].UserID}
	}
	if _, err := e.IngestBatch(t.Context(), events); err != nil {
		t.Error(err)
	}
}

// live lets users do things.
func (m *mergeRace) live(t *testing.T, worker int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(m.seed, uint64(worker)))
	manual := registry.NewManualRef("manual", 0)
	event := func() engine.Event {
		ev := engine.Event{UserID: "u" + itoa(rng.IntN(mergeUsers)), Name: []string{"a", "b", "a", ""}[rng.IntN(4)]}
		if ev.Name == "" || rng.IntN(4) == 0 {
			ev.Traits = []map[string]any{{"plan": "pro"}, {"plan": "free"}, {"plan": nil}, {"seats": 3}, {"seats": 1}}[rng.IntN(5)]
		}
		if rng.IntN(4) == 0 {
			ev.OccurredAt = time.Now().Add(-time.Duration(rng.IntN(500)) * time.Millisecond)
		}
		return ev
	}
	for range 100 {
		e := m.engines[rng.IntN(2)]
		var err error
		switch rng.IntN(10) {
		case 0:
			err = m.ingestTx(t.Context(), e, event())
		case 1:
			_, err = e.Add(t.Context(), manual, "u"+itoa(rng.IntN(mergeUsers)))
		case 2:
			_, err = e.Remove(t.Context(), manual, "u"+itoa(rng.IntN(mergeUsers)))
		case 3, 4:
			m.ingest(t, e, event(), event(), event())
		default:
			m.ingest(t, e, event())
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func (m *mergeRace) ingestTx(ctx context.Context, e *engine.Engine, ev engine.Event) error {
	ev.Properties = map[string]any{"name": ev.UserID}
	tx, err := m.pool.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := e.IngestTx(ctx, tx, ev); err != nil {
		return errors.Join(err, tx.Rollback(ctx))
	}
	return tx.Commit(ctx)
}

// merge merges each user into the one with half the number, in any order, until four are left: as
// every goroutine does.
func (m *mergeRace) merge(t *testing.T, worker int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(m.seed, uint64(100+worker)))
	for _, i := range rng.Perm(mergeUsers) {
		if i < 4 {
			continue
		}
		for range 5 { // so that merges come all along
			m.ingest(t, m.engines[rng.IntN(2)], engine.Event{UserID: "u" + itoa(i), Name: "a"}, engine.Event{UserID: "u" + itoa(i/2), Name: "b"})
		}
		if _, err := m.engines[rng.IntN(2)].Merge(t.Context(), "u"+itoa(i), "u"+itoa(i/2)); err != nil {
			t.Error(err)
		}
	}
}

// checkReference plays what is in the log, and the merges, in the order of time, against the
// reference evaluator.
func (m *mergeRace) checkReference(t *testing.T, until time.Time) {
	t.Helper()
	file, err := crashFile()
	if err != nil {
		t.Fatal(err)
	}
	steps := m.steps(t)
	for i := range mergeUsers {
		at := mergedAt(t, m.pool, "u"+itoa(i))
		if at.IsZero() != (i < 4) {
			t.Errorf("u%d was merged at %s", i, at)
		}
		if i >= 4 {
			steps = append(steps, refeval.Action{At: at, Op: refeval.Merge, User: "u" + itoa(i), Into: "u" + itoa(i/2)})
		}
	}
	slices.SortStableFunc(steps, func(a, b refeval.Action) int { return a.At.Compare(b.At) })
	want, got := map[string][]string{}, m.transitions(t, until)
	for _, tr := range refeval.Run(file, steps, until).Transitions {
		want[tr.User] = append(want[tr.User], fmt.Sprintf("%s %s %s %d %s %s %t", tr.At.UTC().Format(time.RFC3339Nano), tr.Kind, tr.Bucket, tr.EntryCount, tr.Source, tr.Reason, tr.Suppressed))
	}
	for i := range mergeUsers {
		user := "u" + itoa(i)
		slices.Sort(want[user])
		equal(t, "transitions of "+user, got[user], want[user])
	}
}

// steps returns what is in the log, by the names by which it happened.
func (m *mergeRace) steps(t *testing.T) []refeval.Action {
	t.Helper()
	rows, err := m.pool.Query(t.Context(), `select e.properties->>'name', coalesce(n.name, ''), coalesce(e.traits::text, ''), e.occurred_at, e.received_at
		from bucketgen.events e left join bucketgen.event_names n on n.no = e.event_no order by e.id`)
	if err != nil {
		t.Fatal(err)
	}
	var steps []refeval.Action
	for rows.Next() {
		s := refeval.Action{Op: refeval.Ingest}
		var traits string
		if err := rows.Scan(&s.User, &s.Name, &traits, &s.OccurredAt, &s.At); err != nil {
			t.Fatal(err)
		}
		s.Traits = []byte(traits)
		steps = append(steps, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

func mergedAt(t *testing.T, pool *pgxpool.Pool, user string) time.Time {
	t.Helper()
	var at *time.Time
	if err := pool.QueryRow(t.Context(), "select merged_at from bucketgen.contacts where user_id = $1", user).Scan(&at); err != nil {
		t.Fatal(err)
	}
	if at == nil {
		return time.Time{}
	}
	return *at
}

func (m *mergeRace) checkStored(t *testing.T) {
	t.Helper()
	for what, sql := range map[string]string{
		"memberships whose entry counts have a gap": `select count(*) from (
			select count(*) n, max(entry_count) m from bucketgen.memberships group by contact_id, bucket_no) x where n <> m`,
		"memberships without exactly one entry": `select count(*) from bucketgen.memberships m where 1 <> (
			select count(*) from bucketgen.transitions t where t.contact_id = m.contact_id and t.bucket_no = m.bucket_no
				and t.entry_count = m.entry_count and t.membership_id = m.id and t.kind = 'entered' and t.at = m.entered_at)`,
		"memberships without a leave for each end": `select count(*) from bucketgen.memberships m where (m.left_at is not null)::int <> (
			select count(*) from bucketgen.transitions t where t.contact_id = m.contact_id and t.bucket_no = m.bucket_no
				and t.entry_count = m.entry_count and t.membership_id = m.id and t.kind = 'left' and t.at = m.left_at)`,
		"users who are another and are in a bucket, or have anything left": `select count(*) from bucketgen.contacts c
			where c.merged_at is not null and (c.properties <> '{}'
				or exists (select from bucketgen.memberships m where m.contact_id = c.id and m.left_at is null)
				or exists (select from bucketgen.due d where d.contact_id = c.id)
				or exists (select from bucketgen.events e where e.contact_id = c.id))`,
	} {
		if n := m.number(t, sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	byKey, byStay := map[string]int{}, map[string]bool{}
	for _, tr := range m.delivered {
		if byKey[tr.Key()]++; byKey[tr.Key()] > 1 {
			t.Errorf("%s was delivered again", tr.Key())
		}
		byStay[fmt.Sprint(tr.MembershipID, tr.Kind)] = true
	}
	announced := m.number(t, "select count(*) from bucketgen.transitions where not suppressed and bucket_no > 0")
	t.Logf("%d events, %d transitions that are announced, %d deliveries", m.number(t, "select count(*) from bucketgen.events"), announced, len(m.delivered))
	if len(byStay) != announced {
		t.Errorf("%d transitions were delivered, want the %d that are announced", len(byStay), announced)
	}
}
