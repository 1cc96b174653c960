package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// moment is a database that an operator does something to while an engine works on it, as a role
// that is no superuser.
type moment struct {
	*engine.Engine

	t    *testing.T
	name string // of the database
	role string
	conn *pgx.Conn // of the operator
	wait sync.WaitGroup
	mu   sync.Mutex
	done int // calls of Ingest
}

func newMoment(t *testing.T) *moment {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	m := &moment{t: t, name: config.ConnConfig.Database, role: "role_" + config.ConnConfig.Database}
	operator := config.ConnConfig.Copy()
	operator.RuntimeParams["default_transaction_read_only"], operator.RuntimeParams["statement_timeout"] = "off", "0"
	if m.conn, err = pgx.ConnectConfig(t.Context(), operator); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, sql := range []string{"drop owned by " + m.role, "drop role " + m.role} {
			if _, err := m.conn.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
		_ = m.conn.Close(context.Background())
	})
	m.exec("create role " + m.role + " login; grant usage on schema bucketgen to " + m.role)
	m.exec("grant all on all tables in schema bucketgen to " + m.role + "; grant all on all sequences in schema bucketgen to " + m.role)
	config.ConnConfig.User = m.role
	config.MaxConns = 12
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	m.Engine = startEngine(t, pool, registrytest.Build(t, pro, regulars), engine.Config{}, nil)
	return m
}

// exec runs statements one by one: several at once are one transaction.
func (m *moment) exec(sql string) {
	m.t.Helper()
	for statement := range strings.SplitSeq(sql, "; ") {
		if _, err := m.conn.Exec(m.t.Context(), statement); err != nil {
			m.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// newSessions ends all sessions of the engine, so that what was set for the database or the role
// counts.
func (m *moment) newSessions() {
	m.t.Helper()
	m.exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + m.name + "' and usename = '" + m.role + "'")
}

const momentCallers, momentCalls = 6, 60

// ingest lets callers ingest events that have keys, one after the other, and returns once some are
// done.
func (m *moment) ingest() {
	m.t.Helper()
	for caller := range momentCallers {
		m.wait.Go(func() {
			for n := range momentCalls {
				_, err := m.Ingest(m.t.Context(), engine.Event{
					UserID: fmt.Sprintf("u%d", n%7), Name: "visit", Key: fmt.Sprintf("%d-%d", caller, n), Traits: map[string]any{"plan": "pro"},
				})
				if err != nil {
					m.t.Errorf("event %d of caller %d: %v", n, caller, err)
				}
				m.mu.Lock()
				m.done++
				m.mu.Unlock()
			}
		})
	}
	eventually(m.t, func() bool { return m.calls() > momentCallers })
}

func (m *moment) calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

// unready waits until the engine says that it is not ready, for a reason.
func (m *moment) unready(reason string) {
	m.t.Helper()
	eventually(m.t, func() bool {
		unready, is := errors.AsType[*engine.UnreadyError](m.Ready(m.t.Context()))
		return is && strings.Contains(unready.Reason, reason)
	})
}

// finish waits until all calls are done, and checks that all events are stored, once each.
func (m *moment) finish() {
	m.t.Helper()
	m.wait.Wait()
	eventually(m.t, func() bool { return m.Ready(m.t.Context()) == nil })
	var stored, keys int
	if err := m.conn.QueryRow(m.t.Context(), "select (select count(*) from bucketgen.events), (select count(*) from bucketgen.idempotency_keys)").Scan(&stored, &keys); err != nil {
		m.t.Fatal(err)
	}
	equal(m.t, "stored", stored, momentCallers*momentCalls)
	equal(m.t, "keys", keys, momentCallers*momentCalls)
	equal(m.t, "refused", m.Stats().Refused, 0)
}

// TestTheMomentRefusesNothing does to the database what operators do. Every event is stored once,
// and while none can be, the engine is not ready and says why.
func TestTheMomentRefusesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		begin, end string // SQL of the operator, with the database or the role for %s
		role       bool
		sessions   bool // which begin anew
		reason     string
	}{
		{
			name: "read-only", sessions: true, reason: "read-only",
			begin: "alter database %s set default_transaction_read_only = on", end: "alter database %s reset default_transaction_read_only",
		},
		{
			name: "statement timeout", sessions: true, reason: "57014",
			begin: "alter database %s set statement_timeout = '20ms'; begin; lock table bucketgen.events in exclusive mode",
			end:   "commit; alter database %s reset statement_timeout",
		},
		{
			name: "table locked", reason: "55P03",
			begin: "begin; lock table bucketgen.events in exclusive mode", end: "commit",
		},
		{
			name: "grant revoked", role: true, reason: "privilege",
			begin: "revoke insert on bucketgen.events from %s", end: "grant insert on bucketgen.events to %s",
		},
		{
			name: "grant on sequences revoked", role: true, reason: "42501",
			begin: "revoke insert on bucketgen.idempotency_keys from %s", end: "grant insert on bucketgen.idempotency_keys to %s",
		},
		{
			name: "out of connections", sessions: true, reason: "53300",
			begin: "alter database %s connection limit 0", end: "alter database %s connection limit -1",
		},
		{
			name: "table gone", reason: "42P01",
			begin: "alter table bucketgen.idempotency_keys rename to away", end: "alter table bucketgen.away rename to idempotency_keys",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMoment(t)
			of := m.name
			if c.role {
				of = m.role
			}
			m.ingest()
			m.exec(strings.ReplaceAll(c.begin, "%s", of))
			if c.sessions {
				m.newSessions()
			}
			m.unready(c.reason)
			m.exec(strings.ReplaceAll(c.end, "%s", of))
			m.finish()
		})
	}
}

// TestShortStatementTimeout lets some statements pass and others not, as pg_cancel_backend does.
func TestShortStatementTimeout(t *testing.T) {
	t.Parallel()
	t.Run("1 ms", func(t *testing.T) {
		t.Parallel()
		m := newMoment(t)
		m.ingest()
		m.exec("alter database " + m.name + " set statement_timeout = '1ms'")
		m.newSessions()
		before := m.calls()
		waited := time.After(300 * time.Millisecond)
		eventually(t, func() bool {
			select {
			case <-waited:
				return true
			default:
				return m.calls() > before+100
			}
		})
		m.exec("alter database " + m.name + " reset statement_timeout")
		m.finish()
	})
	t.Run("pg_cancel_backend", func(t *testing.T) {
		t.Parallel()
		m := newMoment(t)
		m.ingest()
		for range 200 {
			m.exec("select pg_cancel_backend(pid) from pg_stat_activity where usename = '" + m.role + "' and state = 'active'")
		}
		m.finish()
	})
}

// TestCallersWaitAsLongAsTheyWant ends a call whose deadline passes while the database does not
// take writes. Its error is about the moment, and the event is not stored later.
func TestCallersWaitAsLongAsTheyWant(t *testing.T) {
	t.Parallel()
	m := newMoment(t)
	m.exec("begin; lock table bucketgen.events in exclusive mode")
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := m.Ingest(ctx, engine.Event{UserID: "ada", Name: "visit"})
		failed <- err
	}()
	m.unready("55P03")
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) || !engine.Transient(err) {
		t.Errorf("got %v, want context.Canceled, which is transient", err)
	}
	eventually(t, func() bool { return m.Stats().Refused == 1 }) // the engine has dropped it
	m.exec("commit")
	if _, err := m.Ingest(t.Context(), engine.Event{UserID: "ada", Name: "visit"}); err != nil {
		t.Error(err)
	}
	var stored int
	if err := m.conn.QueryRow(t.Context(), "select count(*) from bucketgen.events").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	equal(t, "stored", stored, 1)
	eventually(t, func() bool { return m.Ready(t.Context()) == nil })
}

// TestTransient says which errors of the engine are about the moment.
func TestTransient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{&engine.InvalidError{Field: "name", Problem: "is empty"}, false},
		{fmt.Errorf("merge: %w", engine.ErrDeleted), false},
		{engine.ErrPaused, false},
		{engine.ErrNotDeployed, false},
		{engine.ErrUnknownUser, false},
		{engine.ErrStopped, true},
		{context.DeadlineExceeded, true},
		{context.Canceled, true},
		{errors.New("unable to encode store.roomy into binary format"), true},
	} {
		if got := engine.Transient(c.err); got != c.want {
			t.Errorf("%v: got %t, want %t", c.err, got, c.want)
		}
	}
}
