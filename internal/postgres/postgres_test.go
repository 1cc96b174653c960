package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/internal/postgres"
)

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var out string
	if err := conn.QueryRow(t.Context(), sql).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func exec(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestPrivateServer starts a server, crashes it, joins it, and starts it again on the same data.
func TestPrivateServer(t *testing.T) {
	t.Parallel()
	base, err := os.MkdirTemp("", "bgtest") //nolint:usetesting // of its own: the server may run as another user, who must get there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "made", "on", "the", "way", "pg")
	first, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, first.URL, "create table kept as select 'yes'::text as answer")
	if err := first.Crash(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if second.URL != first.URL {
		t.Errorf("the second found another server: %s, not %s", second.URL, first.URL)
	}
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := query(t, first.URL, "select answer from kept"); got != "yes" {
		t.Errorf("after a crash: got %q", got)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	third, err := postgres.Start(t.Context(), postgres.Options{Dir: dir, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, third.URL, "select answer || current_setting('fsync') from kept"); got != "yeson" {
		t.Errorf("started again: got %q", got)
	}
	if err := third.Stop(); err != nil {
		t.Fatal(err)
	}
}

func TestGivenServer(t *testing.T) {
	t.Parallel()
	if _, err := postgres.Start(t.Context(), postgres.Options{URL: "postgres://unknown@127.0.0.1:1/none"}); err == nil {
		t.Error("a server that is not there: got no error")
	}
}

// TestChosenBinaries checks that POSTGRES_BIN names the server, and that one that is not there is
// said, and not replaced by another.
func TestChosenBinaries(t *testing.T) {
	t.Setenv("POSTGRES_BIN", t.TempDir())
	if _, err := postgres.Start(t.Context(), postgres.Options{}); err == nil || !strings.Contains(err.Error(), "POSTGRES_BIN") {
		t.Errorf("got %v, want an error that names POSTGRES_BIN", err)
	}
}
