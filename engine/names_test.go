package engine_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestEventsKeepTheirNames sends far more names than the engine remembers, mixed with one that is
// declared and one that always comes again: so names are forgotten between the moment a flusher
// resolves them and the moment it writes. Each event carries its name as a property too, with which
// the log is compared.
func TestEventsKeepTheirNames(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	e := startEngine(t, pool, registrytest.Build(t, pro, regulars), engine.Config{EventNameCache: 8, MaxBatch: 50, Flushers: 4, NoDelivery: true}, nil)
	const callers, batches, size = 8, 25, 20
	sendNames(t, e, callers, batches, size, func(caller, batch, i int) string {
		switch i % 4 {
		case 0:
			return "visit"
		case 1:
			return "comes again"
		}
		return fmt.Sprintf("name %d of batch %d by %d", i, batch, caller)
	})
	checkNames(t, pool, callers*batches*size, 2+callers*batches*size/2)
}

// TestTenThousandNames sends each of 10,000 names twice, from eight callers.
func TestTenThousandNames(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	e := startEngine(t, pool, registrytest.Build(t, pro, regulars), engine.Config{EventNameCache: 1000, NoDelivery: true}, nil)
	const callers, batches, size, distinct = 8, 10, 250, 10_000
	sendNames(t, e, callers, batches, size, func(caller, batch, i int) string {
		return fmt.Sprintf("name %d", (caller*batches*size+batch*size+i)%distinct)
	})
	checkNames(t, pool, callers*batches*size, distinct)
}

// TestTwoHundredThousandNames sends 200,000 names once each, more than the engine remembers by
// default.
func TestTwoHundredThousandNames(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	e := startEngine(t, pool, registrytest.Build(t, pro, regulars), engine.Config{NewEventNames: -1, NoDelivery: true}, nil)
	const callers, batches, size = 8, 50, 500
	sendNames(t, e, callers, batches, size, func(caller, batch, i int) string {
		return fmt.Sprintf("name %d", caller*batches*size+batch*size+i)
	})
	checkNames(t, pool, callers*batches*size, callers*batches*size)
}

// sendNames sends batches of events from several callers at once.
func sendNames(t *testing.T, e *engine.Engine, callers, batches, size int, name func(caller, batch, i int) string) {
	t.Helper()
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for batch := range batches {
				events := make([]engine.Event, size)
				for i := range events {
					name := name(caller, batch, i)
					events[i] = engine.Event{UserID: fmt.Sprintf("user %d of %d", i%50, caller), Name: name, Properties: map[string]any{"name": name}}
				}
				if _, err := e.IngestBatch(t.Context(), events); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

// checkNames compares the names in the log with those that the events carry.
func checkNames(t *testing.T, pool *pgxpool.Pool, events, names int) {
	t.Helper()
	var stored, distinct, wrong int
	if err := pool.QueryRow(t.Context(), `select count(*), count(distinct n.name), count(*) filter (where n.name is distinct from e.properties ->> 'name')
		from bucketgen.events e left join bucketgen.event_names n on n.no = e.event_no`).Scan(&stored, &distinct, &wrong); err != nil {
		t.Fatal(err)
	}
	equal(t, "stored events", stored, events)
	equal(t, "distinct names", distinct, names)
	equal(t, "events with another name, or none", wrong, 0)
}

// TestNewNamesAreBounded meets the bound on names that no definition declares: by batches, by
// another engine on the database, and in a transaction of a caller. Other events of a batch are
// stored, and names that were there before are never refused.
func TestNewNamesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	config := engine.Config{NoClock: true, NoDelivery: true, NewEventNames: 5, EventNameCache: 2}
	one, other := w.start(config, nil), w.start(config, nil)
	refused := func(e *engine.Engine, names ...string) []string {
		t.Helper()
		events := make([]engine.Event, len(names))
		for i, name := range names {
			events[i] = engine.Event{UserID: fmt.Sprintf("user %d", i), Name: name}
		}
		results, _ := e.IngestBatch(t.Context(), events)
		var out []string
		for i := range results {
			if results[i].Err == nil {
				continue
			}
			invalid, ok := errors.AsType[*engine.InvalidError](results[i].Err)
			if !ok || invalid.Field != "name" || !strings.Contains(invalid.Problem, "5 new names") || !strings.Contains(invalid.Problem, "NewEventNames") {
				t.Errorf("%s: got %v, want a refusal of the name that names the bound and the setting", names[i], results[i].Err)
			}
			out = append(out, names[i])
		}
		return out
	}
	equal(t, "refused by the first", refused(one, "a", "b", "visit", "c", "a"), nil)
	equal(t, "refused by the second", refused(other, "b", "d", "e", "f", "visit", "g", "f", "a"), []string{"f", "g", "f"})
	equal(t, "refused by the first again", refused(one, "h", "e", "visit", "a", "b", "c", "d"), []string{"h"})
	equal(t, "stored", w.count("select count(*) from bucketgen.events"), 16)
	equal(t, "names", w.count("select count(*) from bucketgen.event_names"), 6)

	tx, err := w.pool.Begin(t.Context())
	must(t, err)
	_, err = one.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "visit"}, engine.Event{UserID: "bob", Name: "i"})
	if invalid, ok := errors.AsType[*engine.InvalidError](err); !ok || invalid.Field != "name" {
		t.Errorf("in a transaction: got %v, want a refusal of the name", err)
	}
	_, err = one.IngestTx(t.Context(), tx, engine.Event{UserID: "ada", Name: "visit"}, engine.Event{UserID: "bob", Name: "a"})
	must(t, err)
	must(t, tx.Commit(t.Context()))
	equal(t, "stored", w.count("select count(*) from bucketgen.events"), 18)

	w.clock.Advance(23 * time.Hour)
	equal(t, "refused in the last hour of the day", refused(one, "j"), []string{"j"})
	w.clock.Advance(time.Hour)
	equal(t, "refused a day later", refused(one, "j", "k", "l", "m", "n", "o"), []string{"o"})
}

// TestNewNamesOfTransactionsCount counts names that were created in transactions of callers, one of
// which never commits, and does not keep others from creating names meanwhile.
func TestNewNamesOfTransactionsCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	e := w.start(engine.Config{NoClock: true, NoDelivery: true, NewEventNames: 3}, nil)
	send := func(name string) error {
		_, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Name: name})
		return err
	}
	within := func(user, name string) func(commit bool) {
		tx, err := w.pool.Begin(t.Context())
		must(t, err)
		_, err = e.IngestTx(t.Context(), tx, engine.Event{UserID: user, Name: name})
		must(t, err)
		return func(commit bool) {
			if commit {
				must(t, tx.Commit(t.Context()))
			} else {
				must(t, tx.Rollback(t.Context()))
			}
		}
	}
	committed, undone := within("bob", "a"), within("cyd", "b")
	must(t, send("c"))
	committed(true)
	undone(false)
	must(t, send("d"))
	if err := send("e"); err == nil {
		t.Error("a name beyond the bound was taken")
	}
}

// TestNamesWithoutBound lets any number of names come.
func TestNamesWithoutBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, regulars)
	e := w.start(engine.Config{NoClock: true, NoDelivery: true, NewEventNames: -1}, nil)
	for i := range 20 {
		_, err := e.Ingest(t.Context(), engine.Event{UserID: "ada", Name: fmt.Sprintf("name %d", i)})
		must(t, err)
	}
}

// TestRefusingNamesIsCheap counts what events beyond the bound cost: once the bound is known to be
// met, one lookup of the names of a whole batch, and nothing is locked, counted or written.
func TestRefusingNamesIsCheap(t *testing.T) {
	t.Parallel()
	count := &tally{}
	pool := traced(t, count)
	c := newClock(epoch)
	e := startEngine(t, pool, registrytest.Build(t, regulars),
		engine.Config{Now: c.Now, VirtualTime: true, NoClock: true, NoDelivery: true, NewEventNames: 1, DeployPoll: time.Hour}, nil)
	refused := func(prefix string) {
		t.Helper()
		events := make([]engine.Event, 100)
		for i := range events {
			events[i] = engine.Event{UserID: "ada", Name: fmt.Sprintf("%s %d", prefix, i)}
		}
		if _, err := e.IngestBatch(t.Context(), events); err == nil {
			t.Error("names beyond the bound were taken")
		}
	}
	refused("first")
	for i := range 5 {
		count.take()
		refused("again " + strconv.Itoa(i))
		if trips, statements := count.take(); trips != 1 || statements != 1 {
			t.Errorf("100 events beyond the bound took %d round trips and %d statements, want 1 and 1", trips, statements)
		}
	}
}
