package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// TestServeLosesNothing interrupts and kills a server while events come in: whatever was answered
// by 200 is stored.
func TestServeLosesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	key := command(t, "keys", "create", "test", "--database", url)
	a := &api{pool: pgtest.Open(t, url), key: key}
	acknowledged := map[string]bool{}
	for round, end := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM} {
		cmd, address := serve(t, url)
		a.sendUntil(t, address, strconv.Itoa(round), acknowledged, func() {
			if err := cmd.Process.Signal(end); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); end == syscall.SIGTERM && err != nil {
				t.Errorf("interrupted, it ended with %v", err)
			}
		})
	}
	stored := a.keysStored(t)
	for id := range acknowledged {
		if !stored[id] {
			t.Errorf("event %s was acknowledged, and is lost", id)
		}
	}
	t.Logf("%d events were acknowledged, %d are stored", len(acknowledged), len(stored))
}

// TestServeReader serves with a replica that is away: events are taken, and lists are not
// available, without the password of the replica in the answer.
func TestServeReader(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	a := &api{key: command(t, "keys", "create", "web", "--database", url)}
	read := command(t, "keys", "create", "board", "--read", "--database", url)
	cmd, address := serve(t, url, "--reader", "postgres://replica:hunter2@127.0.0.1:1/app?connect_timeout=2")
	if !a.track(t.Context(), address, "e1") {
		t.Error("an event was refused because the replica is away")
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/v1/buckets/power-users/members", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(read, "")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusServiceUnavailable || strings.Contains(string(text), "hunter2") {
		t.Errorf("a list without the replica: got %d %s, %v, want 503", got.StatusCode, text, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ended with %v", err)
	}
}

// sendUntil sends events, of which it notes those that are acknowledged, and ends the server when
// there are some.
func (a *api) sendUntil(t *testing.T, address, prefix string, acknowledged map[string]bool, end func()) {
	t.Helper()
	ctx, done := context.WithCancel(t.Context())
	defer done()
	var mu sync.Mutex
	var senders sync.WaitGroup
	enough := make(chan struct{})
	answered := 0
	for sender := range 16 {
		senders.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%d", prefix, sender, n)
				if !a.track(ctx, address, id) {
					return
				}
				mu.Lock()
				acknowledged[id] = true
				if answered++; answered == 500 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-ctx.Done():
	}
	end()
	done()
	senders.Wait()
}

// keysStored returns the idempotency keys of what is stored.
func (a *api) keysStored(t *testing.T) map[string]bool {
	t.Helper()
	rows, err := a.pool.Query(t.Context(), "select key from bucketgen.idempotency_keys")
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for _, key := range all {
		stored[key] = true
	}
	return stored
}

// serve starts a server in a process of its own, and returns where it listens.
func serve(t *testing.T, url string, flags ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bucketd", append([]string{"serve", "--listen", "127.0.0.1:0", "--database", url}, flags...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	for err == nil && !strings.HasPrefix(line, "listening on ") { // those before say how it runs
		line, err = lines.ReadString('\n')
	}
	address, says := strings.CutPrefix(line, "listening on ")
	if err != nil || !says {
		t.Fatalf("it says %q: %v", line, err)
	}
	address, _, _ = strings.Cut(address, ";")
	return cmd, address
}

// track sends an event, and reports whether it was acknowledged.
func (a *api) track(ctx context.Context, address, id string) bool {
	body := fmt.Sprintf(`{"userId":"u%s","event":"order","messageId":%q}`, id[len(id)-1:], id)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/track", strings.NewReader(body))
	if err != nil {
		return false
	}
	r.SetBasicAuth(a.key, "")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// TestServeNoAnonymous refuses what has nothing but an anonymous id, by a flag.
func TestServeNoAnonymous(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	key := command(t, "keys", "create", "web", "--database", url)
	cmd, address := serve(t, url, "--no-anonymous", "--anonymous-age", "24h", "--id-kinds", "crm=2")
	for ids, want := range map[string]int{`"anonymousId":"phone"`: http.StatusBadRequest, `"anonymousId":"phone","userId":"ada"`: http.StatusOK} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/v1/track", strings.NewReader(`{"event":"visit",`+ids+`}`))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(key, "")
		r.Header.Set("Content-Type", "application/json")
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(got.Body); got.StatusCode != want {
			t.Errorf("an event with %s: got %d %s, want %d", ids, got.StatusCode, text, want)
		}
		_ = got.Body.Close()
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ended with %v", err)
	}
}
