//go:build hatchet

package hatchet

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/hatchettest"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

const (
	killUsers = 500 // who all enter and leave again
	killLease = 3 * time.Second
)

// TestHatchetSurvivesKills lets a thousand transitions happen, pushed by two engines to two workers
// of Hatchet's SDK, and kills an engine, a worker and the Hatchet server meanwhile. Each transition
// must arrive, with the key that it has in the log, also if it comes twice, and both workers must
// have had their share.
func TestHatchetSurvivesKills(t *testing.T) {
	server, err := hatchettest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	url := pgtest.NewURL(t)
	pool := pgtest.Open(t, url)
	if _, err := pool.Exec(t.Context(), "create table public.received (process text, key text, payload_key text, membership bigint)"); err != nil {
		t.Fatal(err)
	}
	r := registrytest.Build(t, definitions(oldOnes)...)
	e, err := engine.New(pool, r, engine.Config{NoClock: true, NoDelivery: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(context.Background()) })

	listeners := []process{{Name: "first", URL: url, Listens: true}, {Name: "second", URL: url, Listens: true}}
	engines := []process{{Name: "one", URL: url, Definitions: oldOnes}, {Name: "two", URL: url, Definitions: oldOnes}}
	env := server.Env()
	first, second := listeners[0].spawn(t, env), listeners[1].spawn(t, env)
	one, two := engines[0].spawn(t, env), engines[1].spawn(t, env)
	arrived := func(n int) {
		t.Helper()
		came := 0
		defer func() {
			if came < n {
				t.Errorf("%d transitions arrived, %d wait in the outbox", came, number(t, pool, "select count(*) from bucketgen.deliveries"))
			}
		}()
		eventually(t, 3*time.Minute, fmt.Sprintf("%d transitions arrived", n), func() bool {
			came = number(t, pool, "select count(distinct key) from public.received")
			return came >= n
		})
	}
	ingest := func(from, to int, plan string) {
		t.Helper()
		for i := from; i < to; i++ {
			if _, err := e.Ingest(t.Context(), plans(fmt.Sprintf("u%03d", i), plan)); err != nil {
				t.Fatal(err)
			}
		}
	}

	ingest(0, killUsers, "lapsed")
	arrived(50)
	one.kill(t)
	ingest(0, killUsers/2, "pro")
	arrived(200)
	first.kill(t)
	arrived(350)
	server.Kill()
	ingest(killUsers/2, killUsers, "pro")
	if err := server.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := number(t, pool, "select count(distinct key) from public.received")
	one, first = engines[0].spawn(t, env), listeners[0].spawn(t, env)
	arrived(2 * killUsers)
	t.Logf("%d arrived before Hatchet was back, %d came twice or more", before, number(t, pool, "select count(*) - count(distinct key) from public.received"))

	checkReceived(t, pool)
	if n := number(t, pool, "select count(*) from bucketgen.memberships where left_at is null"); n != 0 {
		t.Errorf("%d are still members", n)
	}
	for _, p := range listeners {
		if n := number(t, pool, "select count(*) from public.received where process = $1", p.Name); n == 0 {
			t.Errorf("nothing came to worker %s", p.Name)
		}
	}
	for _, p := range []*running{first, second} {
		p.end(t)
	}
	for _, p := range []*running{one, two} {
		if n := p.end(t); n == 0 {
			t.Error("an engine pushed nothing")
		}
	}
}

// checkReceived compares what arrived with what was logged.
func checkReceived(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	// The key and the stay of a transition, however often it came: two keys for one stay and kind
	// would be two lines.
	got := lines(t, pool, "select distinct key || ' ' || payload_key || ' ' || membership from public.received order by 1")
	want := lines(t, pool, `select k.key || ' ' || k.key || ' ' || k.membership_id from (
		select 'bucket:lapsed:' || c.user_id || ':' || t.kind || ':' || t.entry_count as key, t.membership_id
		from bucketgen.transitions t join bucketgen.contacts c on c.id = t.contact_id where t.kind in ('entered', 'left')
	) k order by 1`)
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 2*killUsers {
		t.Errorf("%d transitions; -logged +arrived\n%s", len(want), diff)
	}
}
