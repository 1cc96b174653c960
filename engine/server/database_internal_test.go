package server

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
)

// TestPoolConfig obeys what the URL says of the pool, and reads the password anew for each
// connection.
func TestPoolConfig(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "passwords")
	write := func(password string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("*:*:*:*:"+password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old")
	url := "postgres://app@db.internal:5432/app?passfile=" + file
	c := &cli{}
	config, err := c.poolConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if config.MaxConns < 16 || config.ConnConfig.Password != "old" {
		t.Errorf("got %d connections, password %q", config.MaxConns, config.ConnConfig.Password)
	}
	write("new")
	connect := &pgx.ConnConfig{}
	if err := config.BeforeConnect(t.Context(), connect); err != nil || connect.Password != "new" {
		t.Errorf("after a rotation: got password %q, %v", connect.Password, err)
	}
	for given, want := range map[string]int32{"1": 1, "4": 4, "40": 40} {
		if config, err = c.poolConfig(url + "&pool_max_conns=" + given); err != nil || config.MaxConns != want {
			t.Errorf("pool_max_conns=%s: got %d, %v", given, config.MaxConns, err)
		}
	}
	c.host.Pool = func(config *pgxpool.Config) error {
		config.MaxConns = 7
		return nil
	}
	if config, err = c.poolConfig(url); err != nil || config.MaxConns != 7 {
		t.Errorf("by the host: got %d, %v", config.MaxConns, err)
	}
	c.host.Pool = func(*pgxpool.Config) error { return errors.New("no token") }
	if _, err = c.poolConfig(url); err == nil || !strings.Contains(err.Error(), "no token") {
		t.Errorf("a host that fails: got %v", err)
	}
}

// TestOpenWaitsForAServerThatStartsUp connects to a server that says so of itself first.
func TestOpenWaitsForAServerThatStartsUp(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var connections atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			code := "57P03"
			if connections.Add(1) > 2 {
				code = "28000" // which ends the waiting
			}
			backend := pgproto3.NewBackend(conn, conn)
			_, _ = backend.ReceiveStartupMessage()
			backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: "the database system is starting up"})
			_ = backend.Flush()
			_ = conn.Close()
		}
	}()
	var log strings.Builder
	c := &cli{database: "postgres://app@" + l.Addr().String() + "/app?sslmode=disable&pool_max_conns=3"}
	if _, err := c.open(t.Context(), &log); err == nil || !strings.Contains(err.Error(), "28000") {
		t.Errorf("got %v", err)
	}
	if connections.Load() != 3 || strings.Count(log.String(), "the database is starting up, waiting for up to 1m0s") != 1 {
		t.Errorf("got %d connections, and the log %q", connections.Load(), log.String())
	}
}
