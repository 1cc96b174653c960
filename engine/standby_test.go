package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/pgproxy"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// replicated is a primary whose commits can be made to wait for a standby.
type replicated struct {
	t        *testing.T
	primary  *postgres.Server
	operator *pgx.Conn // its own commits never wait
}

func newReplicated(t *testing.T) *replicated {
	t.Helper()
	s := startServer(t, postgres.Start, postgres.Options{Settings: []string{"shared_buffers=32MB"}})
	operator, err := pgx.Connect(t.Context(), s.URL+"&synchronous_commit=local")
	must(t, err)
	t.Cleanup(func() { _ = operator.Close(context.Background()) })
	pool := open(t, s.URL)
	_, err = migrate.Up(t.Context(), pool, migrate.Options{})
	must(t, err)
	pool.Close()
	return &replicated{t, s, operator}
}

func startServer(t *testing.T, start func(context.Context, postgres.Options) (*postgres.Server, error), o postgres.Options) *postgres.Server {
	t.Helper()
	s, err := start(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Stop()) })
	return s
}

// waitFor names the standbys that commits wait for, and returns once the server waits, or does not.
func (r *replicated) waitFor(standbys string, waits bool) {
	r.t.Helper()
	for _, sql := range []string{"alter system set synchronous_standby_names = '" + standbys + "'", "select pg_reload_conf()"} {
		_, err := r.operator.Exec(r.t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
		must(r.t, err)
	}
	eventually(r.t, func() bool { return r.commitWaits() == waits })
}

// commitWaits commits something and reports whether the COMMIT waits for a standby.
func (r *replicated) commitWaits() bool {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.primary.URL)
	must(r.t, err)
	answer := make(chan error, 1)
	go func() {
		_, err := conn.Exec(r.t.Context(), "select pg_logical_emit_message(true, 'test', '')")
		answer <- errors.Join(err, conn.Close(context.Background()))
	}()
	pid, waits, answered := conn.PgConn().PID(), false, false
	eventually(r.t, func() bool {
		select {
		case err := <-answer:
			answered = true
			must(r.t, err)
		default:
			waits = r.count("select count(*) from pg_stat_activity where wait_event = 'SyncRep' and pid = $1", pid) > 0
		}
		return waits || answered
	})
	if waits { // the standby that it waits for may not come
		_, err := r.operator.Exec(r.t.Context(), "select pg_terminate_backend($1)", pid)
		must(r.t, err)
		if err := <-answer; err == nil {
			r.t.Error("a COMMIT whose session was ended was answered")
		}
	}
	return waits
}

func (r *replicated) count(sql string, args ...any) (n int) {
	r.t.Helper()
	must(r.t, r.operator.QueryRow(r.t.Context(), sql, args...).Scan(&n))
	return n
}

// calls are events that several callers send at once, each its own.
type calls struct {
	sync.WaitGroup

	answered atomic.Int64
}

// send sends the event of a user who is pro, from another goroutine.
func (c *calls) send(t *testing.T, e *engine.Engine, user string) {
	t.Helper()
	c.Go(func() {
		if _, err := e.Ingest(t.Context(), proEvent(user)); err != nil {
			t.Error(err)
		}
		c.answered.Add(1)
	})
}

func proEvent(user string) engine.Event {
	return engine.Event{UserID: user, Name: "visit", Key: "key of " + user, Traits: map[string]any{"plan": "pro"}}
}

// sendWithoutStandby sends events while commits wait for a standby that is away. It returns once
// all of them are on the primary, which has given up waiting for the standby, and the engine has
// given up waiting for a later COMMIT at least twice.
func (r *replicated) sendWithoutStandby(e *engine.Engine, users ...string) *calls {
	r.t.Helper()
	c := &calls{}
	for _, user := range users {
		c.send(r.t, e, user)
		eventually(r.t, func() bool {
			return r.count("select count(*) from bucketgen.idempotency_keys where key = $1", "key of "+user) == 1
		})
	}
	confirmations := map[int]bool{} // by the session, each of which is given up with its COMMIT
	const given = 2
	eventually(r.t, func() bool {
		var pid int
		err := r.operator.QueryRow(r.t.Context(), "select pid from pg_stat_activity where wait_event = 'SyncRep' and query like '%WritersConfirm%'").Scan(&pid)
		if err == nil {
			confirmations[pid] = true
		} else if !errors.Is(err, pgx.ErrNoRows) {
			r.t.Fatal(err)
		}
		if n := c.answered.Load(); n > 0 {
			r.t.Fatalf("%d events are acknowledged that no standby has", n)
		}
		return len(confirmations) > given
	})
	return c
}

// standbyEngine starts an engine with one flusher, and a user whose event is stored, with its name.
func standbyEngine(t *testing.T, pool *pgxpool.Pool) *engine.Engine {
	t.Helper()
	config := engine.Config{AnswerTimeout: 300 * time.Millisecond, Flushers: 1, NoClock: true, NoDelivery: true}
	e := startEngine(t, pool, registrytest.Build(t, pro), config, nil)
	if _, err := e.Ingest(t.Context(), proEvent("first")); err != nil {
		t.Fatal(err)
	}
	return e
}

// storedOnce checks that the events of some users are stored once each.
func storedOnce(t *testing.T, conn *pgx.Conn, users int) {
	t.Helper()
	for _, table := range []string{"events", "idempotency_keys", "transitions"} {
		var n int
		must(t, conn.QueryRow(t.Context(), "select count(*) from bucketgen."+table).Scan(&n))
		equal(t, table, n, users)
	}
}

// TestStandbyIsAway lets commits wait for a synchronous standby that is not there. The driver
// cancels the wait of each, so the primary has the events, but none is acknowledged. The one
// flusher is replaced, so events of other users reach their commits as well, and the engine is not
// ready. Once no standby is named, every event is acknowledged and stored once.
func TestStandbyIsAway(t *testing.T) {
	t.Parallel()
	r := newReplicated(t)
	e := standbyEngine(t, open(t, r.primary.URL+"&pool_max_conns=12"))
	r.waitFor("absent", true)
	c := r.sendWithoutStandby(e, "ada", "ben")
	unready, is := errors.AsType[*engine.UnreadyError](e.Ready(t.Context()))
	if !is || !strings.Contains(unready.Reason, "events have not been written") {
		t.Errorf("ready: got %v, want events to be unwritten", unready)
	}
	equal(t, "acknowledged", c.answered.Load(), 0)
	r.waitFor("", false)
	c.Wait()
	eventually(t, func() bool { return e.Ready(t.Context()) == nil })
	storedOnce(t, r.operator, 3)
	equal(t, "refused", e.Stats().Refused, 0)
}

// TestFailoverWhileStandbyIsAway kills a primary that has events which its synchronous standby
// lacks, and promotes the standby. Every acknowledged event is there: those without the standby
// were not acknowledged, and are stored again.
func TestFailoverWhileStandbyIsAway(t *testing.T) {
	t.Parallel()
	r := newReplicated(t)
	standby := startServer(t, r.primary.Standby, postgres.Options{Settings: []string{"shared_buffers=32MB"}})
	proxy := pgproxy.New(t, r.primary.URL, nil)
	e := standbyEngine(t, open(t, proxy.URL(t, r.primary.URL)+"&pool_max_conns=12"))
	must(t, standby.Halt())
	r.waitFor("*", true)
	must(t, standby.Resume(t.Context()))
	eventually(t, func() bool { return r.count("select count(*) from pg_stat_replication where sync_state = 'sync'") == 1 })
	if _, err := e.Ingest(t.Context(), proEvent("replicated")); err != nil {
		t.Fatal(err)
	}
	must(t, standby.Halt())
	eventually(t, r.commitWaits)
	c := r.sendWithoutStandby(e, "ada", "ben")
	must(t, r.primary.Halt())
	acknowledged := c.answered.Load()
	must(t, standby.Resume(t.Context()))
	proxy.Lead(t, standby.URL)
	proxy.Cut()
	promoted, err := pgx.Connect(t.Context(), standby.URL)
	must(t, err)
	t.Cleanup(func() { _ = promoted.Close(context.Background()) })
	equal(t, "acknowledged without the standby", acknowledged, 0)
	_, err = promoted.Exec(t.Context(), "select pg_promote()")
	must(t, err)
	c.Wait()
	storedOnce(t, promoted, 4)
}
