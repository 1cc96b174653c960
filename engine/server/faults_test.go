package server_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	segment "github.com/segmentio/analytics-go/v3"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgproxy"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/postgres"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// faultTime is how long each fault of TestSDKThroughFaults lasts at least. It also lasts until it
// was seen.
var faultTime = flag.Duration("fault-time", 500*time.Millisecond, "how long each fault of the database lasts at least")

// callsPerFault is a multiple of four batches of the SDK.
const callsPerFault = 2000

// fault is something that happens to a database while an SDK sends.
type fault struct {
	url        string // of the database, for the engine
	begin, end func() error
	check      string // is the URL of the database that has all events in the end. Defaults to url.
}

// TestSDKThroughFaults sends calls by the SDK of Segment while something happens to the database.
// The SDK gets 503 meanwhile and sends again: each call is stored once, and /readyz names a reason
// until the fault is over.
func TestSDKThroughFaults(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T) fault{
		"read-only":          readOnly,
		"statement timeout":  statementTimeout,
		"out of connections": outOfConnections,
		"out of disk":        outOfDisk,
		"restarted":          restarted,
		"failed over":        failedOver,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sendThrough(t, prepare(t))
		})
	}
}

// sendThrough sends a quarter of the calls before a fault, a quarter while it begins, and the rest
// while it lasts.
func sendThrough(t *testing.T, f fault) {
	t.Helper()
	pool := pgtest.Open(t, f.url)
	e := startOn(t, pool, tracked(t), engine.Config{NoDelivery: true, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	a := &api{engine: e, pool: pool, url: f.url, key: command(t, "keys", "create", "test", "--database", f.url)}
	var refused atomic.Int64
	handler := server.NewHandler(e, pool, "bucketgen", server.HTTP{Wait: time.Second}, nil)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &statusWriter{ResponseWriter: w}
		handler.ServeHTTP(s, r)
		if r.URL.Path == "/v1/batch" && s.status == http.StatusServiceUnavailable {
			refused.Add(1)
		}
	}))
	t.Cleanup(a.Close)

	over := make(chan struct{})
	outcome := &outcomes{}
	client, err := segment.NewWithConfig(a.key, segment.Config{
		Endpoint: a.URL, Callback: segmentOutcomes{outcome}, BatchSize: 50, Interval: 20 * time.Millisecond,
		Logger: segment.StdLogger(log.New(t.Output(), "", 0)), RetryAfter: patient(t.Context(), over),
	})
	if err != nil {
		t.Fatal(err)
	}
	var sending sync.WaitGroup
	t.Cleanup(sending.Wait)
	t.Cleanup(func() { _ = client.Close() })
	send := func(from, to int) {
		for i := from; i < to; i++ {
			if err := client.Enqueue(segment.Track{UserId: fmt.Sprint("u", i%300), Event: "order", MessageId: fmt.Sprint("m", i), Properties: segment.Properties{"call": i}}); err != nil {
				t.Error(err)
			}
		}
	}
	acknowledged := func() (good, poor int) {
		outcome.mu.Lock()
		defer outcome.mu.Unlock()
		return outcome.good, outcome.poor
	}
	ready := func(status int) func() bool {
		return func() bool {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL+"/readyz", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			got, says := a.do(t, r)
			if got.StatusCode != status {
				return false
			}
			t.Logf("%s: /readyz: %d %s", time.Now().Format("15:04:05.000"), got.StatusCode, says)
			return status == http.StatusOK || strings.Contains(says, `"detail"`)
		}
	}

	waitfor.That(t, ready(http.StatusOK))
	send(0, callsPerFault/4)
	waitfor.That(t, func() bool { good, _ := acknowledged(); return good > callsPerFault/8 })
	sending.Go(func() { send(callsPerFault/4, callsPerFault/2) })
	if err := f.begin(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	sending.Go(func() { send(callsPerFault/2, callsPerFault) })
	waitfor.That(t, ready(http.StatusServiceUnavailable))
	waitfor.That(t, func() bool { return refused.Load() >= 3 && time.Since(began) >= *faultTime })
	waitfor.That(t, ready(http.StatusServiceUnavailable))
	if good, _ := acknowledged(); good == callsPerFault {
		t.Error("all calls were acknowledged before the fault ended")
	}
	if err := f.end(); err != nil {
		t.Fatal(err)
	}
	waitfor.That(t, ready(http.StatusOK))
	close(over)
	sending.Wait()
	waitfor.That(t, func() bool { good, poor := acknowledged(); return good+poor == callsPerFault })
	if good, poor := acknowledged(); good != callsPerFault {
		t.Errorf("%d calls were acknowledged and %d were dropped, want %d and 0", good, poor, callsPerFault)
	}
	waitfor.That(t, ready(http.StatusOK))
	t.Logf("%d requests were answered by 503", refused.Load())
	if f.check != "" {
		pool = pgtest.Open(t, f.check)
	}
	for what, sql := range map[string]string{
		"events": "select count(*), count(distinct properties->>'call') from bucketgen.events",
		"keys":   "select count(*), count(distinct key) from bucketgen.idempotency_keys",
	} {
		var all, different int
		if err := pool.QueryRow(t.Context(), sql).Scan(&all, &different); err != nil || all != callsPerFault || different != callsPerFault {
			t.Errorf("%s: got %d, %d of them different, %v, want %d", what, all, different, err, callsPerFault)
		}
	}
}

// patient is when an SDK that gives up after ten attempts tries again: half of them are for the
// time after the fault, however long that lasts.
func patient(ctx context.Context, over <-chan struct{}) func(int) time.Duration {
	return func(attempt int) time.Duration {
		const few = 5
		if attempt == few-1 {
			select {
			case <-over:
			case <-ctx.Done():
			}
		}
		return min(100*time.Millisecond<<attempt, time.Second)
	}
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func readOnly(t *testing.T) fault {
	t.Helper()
	return setting(t, "default_transaction_read_only", "on")
}

// statementTimeout cancels each statement that inserts events: a trigger makes them slow, as a busy
// disk does. Without it, the engine writes events one by one within the timeout.
func statementTimeout(t *testing.T) fault {
	t.Helper()
	f := setting(t, "statement_timeout", "'1ms'")
	if _, err := connect(t, f.url).Exec(t.Context(), `
		create function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.01); return null; end';
		create trigger slow before insert on bucketgen.events execute function public.slow()`); err != nil {
		t.Fatal(err)
	}
	return f
}

// setting sets something for all sessions of the database, and resets it for new ones.
func setting(t *testing.T, name, value string) fault {
	t.Helper()
	database := pgtest.NewURL(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	called := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	conn := connect(t, u.String())
	return fault{
		url: database,
		begin: func() error {
			if _, err := conn.Exec(t.Context(), "alter database "+called+" set "+name+" = "+value); err != nil {
				return err
			}
			_, err := conn.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", called)
			return err
		},
		end: func() error {
			_, err := conn.Exec(t.Context(), "alter database "+called+" reset "+name)
			return err
		},
	}
}

// outOfConnections takes all connections of a server, those of the engine too.
func outOfConnections(t *testing.T) fault {
	t.Helper()
	const most = 40
	s, database := private(t, postgres.Options{Settings: []string{"max_connections=" + strconv.Itoa(most)}})
	var taken []*pgx.Conn
	free := func() {
		for _, conn := range taken {
			_ = conn.Close(context.Background())
		}
		taken = nil
	}
	t.Cleanup(free)
	return fault{url: database, end: func() error { free(); return nil }, begin: func() error {
		waitfor.That(t, func() bool {
			conn, err := pgx.Connect(t.Context(), s.URL)
			if err == nil {
				taken = append(taken, conn)
				return len(taken) == most
			}
			full, is := errors.AsType[*pgconn.PgError](err)
			if !is || full.Code != "53300" || len(taken) == 0 {
				t.Fatal(err)
			}
			if _, err := taken[0].Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'app'"); err != nil {
				t.Fatal(err)
			}
			return false
		})
		return nil
	}}
}

// outOfDisk fills the file system that the database is on.
func outOfDisk(t *testing.T) fault {
	t.Helper()
	s, _ := private(t, postgres.Options{})
	config, err := pgx.ParseConfig(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("the owner of %s is not known", config.Host)
	}
	dir, err := os.MkdirTemp(filepath.Dir(config.Host), "bucketgen-disk-") //nolint:usetesting // the user of the server may not reach the test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	mount := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=64m,mode=700,uid=%d,gid=%d", owner.Uid, owner.Gid), "bucketgen-test", dir)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: a small file system cannot be mounted, which takes root on Linux: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		stopServer(t, s)
		if out, err := exec.CommandContext(context.Background(), "umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	conn := connect(t, s.URL)
	for _, sql := range []string{"create tablespace small location '" + dir + "'", "create database small tablespace small"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	database := s.Database("small")
	makeTables(t, database)
	ballast := filepath.Join(dir, "ballast")
	return fault{
		url: database,
		begin: func() error {
			f, err := os.Create(ballast)
			if err != nil {
				return err
			}
			defer f.Close()
			for size := 1 << 20; size >= 1; {
				if _, err := f.Write(make([]byte, size)); err != nil {
					size /= 2
				}
			}
			return nil
		},
		end: func() error { return os.Remove(ballast) },
	}
}

// restarted stops a server at once and starts it again.
func restarted(t *testing.T) fault {
	t.Helper()
	s, database := private(t, postgres.Options{})
	return fault{url: database, begin: s.Halt, end: func() error { return s.Resume(t.Context()) }}
}

// failedOver ends a server whose commits wait for a standby. Connections lead to the standby then,
// which takes writes only once it is promoted.
func failedOver(t *testing.T) fault {
	t.Helper()
	primary, database := private(t, postgres.Options{})
	standby, err := primary.Standby(t.Context(), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, standby) })
	conn := connect(t, primary.URL)
	for _, sql := range []string{"alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	waitfor.That(t, func() bool {
		var follows bool
		err := conn.QueryRow(t.Context(), "select exists (select from pg_stat_replication where sync_state = 'sync')").Scan(&follows)
		return err == nil && follows
	})
	next := standby.Database("app")
	proxy := pgproxy.New(t, database, nil)
	return fault{
		url: proxy.URL(t, database),
		begin: func() error {
			if err := primary.Halt(); err != nil {
				return err
			}
			proxy.Lead(t, next)
			proxy.Cut()
			return nil
		},
		end: func() error {
			_, err := connect(t, standby.URL).Exec(t.Context(), "select pg_promote()")
			return err
		},
		check: next,
	}
}

// private returns a server of its own with a database app that has the engine's tables.
func private(t *testing.T, o postgres.Options) (*postgres.Server, string) {
	t.Helper()
	o.Settings = append([]string{"shared_buffers=32MB"}, o.Settings...)
	s, err := postgres.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	conn := connect(t, s.URL)
	if _, err := conn.Exec(t.Context(), "create database app"); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
	database := s.Database("app")
	makeTables(t, database)
	return s, database
}

func stopServer(t *testing.T, s *postgres.Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func makeTables(t *testing.T, database string) {
	t.Helper()
	pool := pgtest.Open(t, database)
	if _, err := migrate.Up(t.Context(), pool, migrate.Options{}); err != nil {
		t.Fatal(err)
	}
	pool.Close()
}

func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
