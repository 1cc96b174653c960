package engine_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/migrate"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// pgBouncer starts a PgBouncer before a database and returns the URL of the database through it.
func pgBouncer(t *testing.T, database, mode string) string {
	t.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("NOT TESTED: there is no pgbouncer on this machine; scripts/setup installs it as root on Debian")
	}
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it waits for nothing
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	as := ""
	if os.Geteuid() == 0 {
		as = "user = " + ownerOf(t, config.ConnConfig.Host) + "\n" // it does not run as root
	}
	file := filepath.Join(t.TempDir(), "pgbouncer.ini")
	c := config.ConnConfig
	password := ""
	if c.Password != "" {
		password = " password='" + c.Password + "'"
	}
	text := fmt.Sprintf("[databases]\n* = host=%s port=%d user=%s%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\nunix_socket_dir =\n"+
		"auth_type = any\npool_mode = %s\ndefault_pool_size = 20\nmax_client_conn = 200\nserver_tls_sslmode = disable\n%s", c.Host, c.Port, c.User, password, port, mode, as)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, file) //nolint:noctx // it is ended by the test
	says := &strings.Builder{}
	cmd.Stderr = says
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	through := url.URL{Scheme: "postgres", User: url.User(c.User), Host: "127.0.0.1:" + port, Path: "/" + c.Database}
	eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), through.String()+"?default_query_exec_mode=exec")
		if err != nil {
			return false
		}
		return conn.Close(t.Context()) == nil
	})
	return through.String()
}

// ownerOf returns the name of the user who may enter a directory of sockets, if it is one.
func ownerOf(t *testing.T, dir string) string {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil {
		return "nobody"
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "nobody"
	}
	owner, err := user.LookupId(strconv.FormatUint(uint64(stat.Uid), 10))
	if err != nil {
		t.Fatal(err)
	}
	return owner.Username
}

// TestPgBouncer runs engines behind PgBouncer. In transaction mode it does not keep prepared
// statements before version 1.21: an engine that needs them does not start, and says what to set.
// One that does not need them works.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, pro, regulars)
	work := func(t *testing.T, e *engine.Engine) {
		t.Helper()
		var group sync.WaitGroup
		for caller := range 8 {
			group.Go(func() {
				for n := range 25 {
					if _, err := e.Ingest(t.Context(), engine.Event{UserID: fmt.Sprintf("u%d", n), Name: fmt.Sprintf("visit %d", caller), Traits: map[string]any{"plan": "pro"}}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if n, err := e.Count(t.Context(), registrytest.Ref(t, r, "pro")); err != nil || n != 25 {
			t.Errorf("members: got %d, %v, want 25", n, err)
		}
		if err := e.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	}
	t.Run("transaction mode", func(t *testing.T) {
		t.Parallel()
		through := pgBouncer(t, pgtest.NewEmptyURL(t), "transaction")
		pool := open(t, through)
		if _, err := migrate.Up(t.Context(), pool, migrate.Options{}); err != nil {
			t.Fatal(err)
		}
		e, err := engine.New(pool, r, engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "default_query_exec_mode=cache_describe") {
			t.Errorf("got %v, want an error that says what to set", err)
			_ = e.Stop(t.Context())
		}
		work(t, startEngine(t, open(t, through+"?default_query_exec_mode=cache_describe&pool_max_conns=12"), r, engine.Config{}, nil))
	})
	t.Run("session mode", func(t *testing.T) {
		t.Parallel()
		through := pgBouncer(t, pgtest.NewURL(t), "session")
		work(t, startEngine(t, open(t, through+"?pool_max_conns=8"), r, engine.Config{}, nil))
	})
}
