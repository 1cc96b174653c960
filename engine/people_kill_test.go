package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/internal/waitfor"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// peopleVar is the environment variable that makes this test binary a process in which users sign
// in on devices that other processes use at the same moment.
const peopleVar = "BUCKETGEN_PEOPLE_WORKER"

// peopleWorker is such a process. It does its part of each round, and notes in the table
// public.rounds how far each goroutine has come.
type peopleWorker struct {
	URL        string
	Process    int
	Goroutines int
	Rounds     int
}

const peopleProcesses = 3

// peopleDefinitions ask whether a contact has visited, as a user or as anyone, and has signed in
// twice.
func peopleDefinitions() []bucket.Definition {
	login := bucket.Event("login")
	return []bucket.Definition{
		bucket.Define(bucket.Spec{ID: "visited", Anonymous: bucket.Include, Criteria: visit.Exists()}),
		bucket.Define(bucket.Spec{ID: "users", Criteria: visit.Exists()}),
		bucket.Define(bucket.Spec{ID: "twice", Anonymous: bucket.Include, Criteria: login.AtLeast(2)}),
	}
}

// signIn is something that a process does in a round: an event, or an alias.
type signIn struct {
	event engine.Event
	from  string
}

// signIns returns what happens in a round, all of it at the same moment: two users sign in on a
// device, where a visitor was before. In some rounds an address becomes known, too, or the users
// become one by an alias.
func signIns(round int) []signIn {
	device, x, y := fmt.Sprint("device-", round), fmt.Sprint("x", round), fmt.Sprint("y", round)
	all := []signIn{{event: engine.Event{UserID: x, AnonymousID: device}}, {event: engine.Event{UserID: y, AnonymousID: device}}}
	switch email := fmt.Sprintf("e%d@example.org", round); round % 4 {
	case 1:
		all = append(all, signIn{event: engine.Event{UserID: x}})
	case 2:
		all = []signIn{
			{event: engine.Event{Email: email, AnonymousID: device}}, {event: engine.Event{UserID: x, Email: email}}, {event: engine.Event{UserID: x, AnonymousID: device}},
		}
	case 3:
		all = append(all, signIn{from: x, event: engine.Event{UserID: y}})
	}
	for i := range all {
		all[i].event.Name, all[i].event.Key = "login", fmt.Sprintf("r%d-%d", round, i)
	}
	return all
}

func peopleWorkerMain(config string) error {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // processes that die are what this is about
	var w peopleWorker
	if err := json.Unmarshal([]byte(config), &w); err != nil {
		return err
	}
	ctx, stopped := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stopped()
	r, err := registrytest.Of(peopleDefinitions()...)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, w.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	e, err := engine.New(pool, r, engine.Config{NoClock: w.Process > 0, NoDelivery: true})
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Println("ready") //nolint:forbidigo // the test waits for it
	var group sync.WaitGroup
	errs := make([]error, w.Goroutines)
	for g := range w.Goroutines {
		group.Go(func() { errs[g] = w.signIn(ctx, e, pool, g) })
	}
	group.Wait()
	bounded, cancel := context.WithTimeout(context.Background(), waitfor.Long)
	defer cancel()
	return errors.Join(errors.Join(errs...), e.Stop(bounded))
}

// signIn is one goroutine: it does its part of each of its rounds, from the first one on that is
// not noted as done. A round that it had begun when the process died is done again.
func (w *peopleWorker) signIn(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool, g int) error {
	var next int
	if err := pool.QueryRow(ctx, "select next from public.rounds where process = $1 and goroutine = $2", w.Process, g).Scan(&next); err != nil {
		return err
	}
	for round := next; round < w.Rounds; round += w.Goroutines {
		for i, s := range signIns(round) {
			if (i+round)%peopleProcesses != w.Process {
				continue
			}
			err := s.do(ctx, e)
			if err != nil {
				return fmt.Errorf("round %d, %d: %w", round, i, err)
			}
		}
		if _, err := pool.Exec(ctx, "update public.rounds set next = $3 where process = $1 and goroutine = $2", w.Process, g, round+w.Goroutines); err != nil {
			return err
		}
	}
	return nil
}

func (s *signIn) do(ctx context.Context, e *engine.Engine) error {
	if s.from != "" {
		return e.Users().Alias(ctx, s.from, s.event.UserID, engine.AliasOptions{Trusted: true})
	}
	_, err := e.Ingest(ctx, s.event)
	return err
}

// TestSignInsSurviveKills lets users sign in by 66 goroutines of three processes, of which two use
// the same device at the same moment in each of 1,000 rounds, and kills a process again and again
// (A10). No id leads to two contacts, no two users become one but by an alias, each event counts
// once, what the visitor did is the past of one user, and memberships are what a simulator makes of
// each log.
func TestSignInsSurviveKills(t *testing.T) {
	t.Parallel()
	const rounds, goroutines, kills = 1000, 22, 6
	pool, r := pgtest.New(t), registrytest.Build(t, peopleDefinitions()...)
	w := &world{t: t, pool: pool, registry: r}
	w.Engine = startEngine(t, pool, r, engine.Config{NoClock: true, NoDelivery: true}, nil)
	execSQL(t, w, "create table public.rounds (process int, goroutine int, next int, primary key (process, goroutine))")
	execSQL(t, w, fmt.Sprintf("insert into public.rounds select p, g, g from generate_series(0, %d) p, generate_series(0, %d) g", peopleProcesses-1, goroutines-1))
	visits := make([]engine.Event, rounds)
	for i := range visits {
		visits[i] = engine.Event{AnonymousID: fmt.Sprint("device-", i), Name: "visit", Key: fmt.Sprint("v", i)}
	}
	ingestAll(t, w.Engine, visits)
	workers := make([]*exec.Cmd, peopleProcesses)
	spawn := func(i int) {
		var err error
		workers[i], err = startWorker(peopleVar, peopleWorker{URL: pool.Config().ConnString(), Process: i, Goroutines: goroutines, Rounds: rounds})
		must(t, err)
	}
	for i := range workers {
		spawn(i)
	}
	left := func() int {
		return w.count("select count(*) from public.rounds p, generate_series(p.next, $1, $2) r", rounds-1, goroutines)
	}
	for n := range kills { // while there are some left to do
		eventually(t, func() bool { return left() < rounds*peopleProcesses*(kills-n)/(kills+1) })
		i := n % peopleProcesses
		_ = workers[i].Process.Kill()
		_ = workers[i].Wait()
		spawn(i)
	}
	for _, cmd := range workers {
		if err := cmd.Wait(); err != nil { // an error of a call, such as of a deadlock
			t.Errorf("%v\n%s", err, cmd.Stderr)
		}
	}
	equal(t, "rounds that are left", left(), 0)
	w.checkPeople(t, rounds)
	w.checkNoOrphans(t)
	w.checkMemberships(t)
}

// checkPeople reads what ids lead to.
func (w *world) checkPeople(t *testing.T, rounds int) {
	t.Helper()
	events := rounds // the visits
	for round := range rounds {
		events += len(slices.DeleteFunc(signIns(round), func(s signIn) bool { return s.from != "" }))
	}
	const past = `select distinct k.key, c.user_id from bucketgen.idempotency_keys k join bucketgen.contacts c on c.id = k.contact_id where k.key ~ '^v'`
	for _, check := range []struct {
		what, query string
		want        int
	}{
		{"events", "select count(*) from bucketgen.events", events},
		{"keys", "select count(*) from bucketgen.idempotency_keys", events},
		{"different keys", "select count(distinct key) from bucketgen.idempotency_keys", events},
		{"names that are ids of another contact", "select count(*) from bucketgen.identities i join bucketgen.contacts c on c.user_id = i.name and c.merged_at is null", 0},
		{
			"ids that lead to no contact",
			"select count(*) from bucketgen.identities i where not exists (select from bucketgen.contacts c where c.id = i.contact_id and c.merged_at is null)", 0,
		},
		{"names by which two contacts are found", "select count(*) from (select name from bucketgen.names group by 1 having count(*) > 1) n", 0},
		{"merges of two users by themselves", `select count(*) from bucketgen.merges where kind <> 'merge' and from_name !~ '^\x01'`, 0},
		{"merges by aliases that no one asked for", `select count(*) from bucketgen.merges where kind = 'merge' and case when from_name ~ '^x\d+$' then substr(from_name, 2)::int % 4 end is distinct from 3`, 0},
		{"aliases", "select count(*) from bucketgen.merges where kind = 'merge'", rounds / 4},
		{"visits", "select count(*) from (" + past + ") v", rounds},
		{"visits of users who shared the device", "select count(*) from (" + past + ") v where substr(v.key, 2)::int % 4 < 2 and v.user_id ~ '^[xy]'", rounds / 2},
		{
			"devices that two users have shared",
			"select count(*) from bucketgen.identities where kind = 'anonymous' and substr(value, 8)::int % 4 < 2 and shared", rounds / 2,
		},
	} {
		equal(t, check.what, w.count(check.query), check.want)
	}
}

// checkMemberships compares the memberships of all contacts with what a simulator makes of their
// logs.
func (w *world) checkMemberships(t *testing.T) {
	t.Helper()
	rows, err := w.pool.Query(t.Context(), `
		select c.user_id, array(select n.name from bucketgen.events e join bucketgen.event_names n on n.no = e.event_no where e.contact_id = c.id order by e.id),
			array(select b.id from bucketgen.memberships m join bucketgen.buckets b on b.no = m.bucket_no where m.contact_id = c.id and m.left_at is null order by b.id)
		from bucketgen.contacts c where c.merged_at is null`)
	must(t, err)
	type contact struct {
		Name            string
		Events, Buckets []string
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[contact])
	must(t, err)
	for _, c := range all {
		if got := simulated(t, w.registry, c.Name, c.Events); !slices.Equal(got, c.Buckets) {
			t.Errorf("%s with the events %v is in %v, want %v", resolve.Text(c.Name), c.Events, c.Buckets, got)
		}
	}
}

// simulated returns the buckets that a contact is in after events of some names.
func simulated(t *testing.T, r *registry.Registry, contact string, events []string) (in []string) {
	t.Helper()
	world := simulate.New(r.Tables(), table.At(time.Now()), decide.Limits{})
	for _, name := range events {
		ev, err := event.Validate(r.Tables(), &engine.Event{Name: name}, time.Now(), event.Limits{}.WithDefaults())
		must(t, err)
		world.Ingest(contact, ev)
	}
	for b, row := range r.Tables().Buckets {
		if world.Member(table.BucketIndex(b), contact) {
			in = append(in, row.ID)
		}
	}
	return in
}
