package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// TestReadOnlyDatabase sends calls while the database is read-only. None is refused: each gets 503
// and Retry-After, single calls and batches alike, and /readyz names the reason. Sent again, they
// are stored.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	a := newAPI(t, engine.Config{NoClock: true})
	a.Close()
	a.Server = httptest.NewServer(server.NewHandler(a.engine, a.pool, "bucketgen", server.HTTP{Wait: 20 * time.Millisecond}, nil))
	t.Cleanup(a.Close)
	set := func(sql string) {
		t.Helper()
		if _, err := a.pool.Exec(t.Context(), "begin read write; alter database "+a.pool.Config().ConnConfig.Database+sql+"; commit"); err != nil {
			t.Fatal(err)
		}
		a.pool.Reset()
	}
	set(" set default_transaction_read_only = on")
	calls := map[string]string{
		"/v1/track": `{"userId":"ada","event":"order","messageId":"1"}`,
		"/v1/batch": `{"batch":[{"type":"track","userId":"ada","event":"new name","messageId":"2"},{"type":"identify","userId":"bob","traits":{"plan":"pro"},"messageId":"3"}]}`,
	}
	for path, body := range calls {
		got, says := a.send(t, path, strings.NewReader(body), nil)
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: got %d %v %s, want 503 and Retry-After", path, got.StatusCode, got.Header, says)
		}
	}
	ready := func(status int, want string) bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL+"/readyz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		got, says := a.do(t, r)
		return got.StatusCode == status && strings.Contains(says, want)
	}
	waitfor.That(t, func() bool { return ready(http.StatusServiceUnavailable, "the database is read-only") })
	set(" reset default_transaction_read_only")
	waitfor.That(t, func() bool { return ready(http.StatusOK, "ready") })
	for path, body := range calls {
		waitfor.That(t, func() bool {
			got, _ := a.send(t, path, strings.NewReader(body), nil)
			return got.StatusCode == http.StatusOK
		})
	}
	var stored int
	if err := a.pool.QueryRow(t.Context(), "select count(*) from bucketgen.events").Scan(&stored); err != nil || stored != 3 {
		t.Errorf("stored: got %d, %v, want 3", stored, err)
	}
}
