package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/waitfor"
)

// served is a server in a process of its own, as it says it is.
type served struct {
	URL      string `json:"url"`
	AdminURL string `json:"adminUrl"`

	stop func()
	log  io.ReadCloser
}

// serveWith starts a server with all telemetry.
func serveWith(t *testing.T, url string, env ...string) *served {
	t.Helper()
	return serveWithFlags(t, url, nil, env...)
}

func serveWithFlags(t *testing.T, url string, flags []string, env ...string) *served {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bucketd", append([]string{
		"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--database", url, "--json", "--log", "json", "--log-level", "debug",
	}, flags...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{}
	if s.log, err = cmd.StderrPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(out).Decode(s); err != nil {
		t.Fatal(err)
	}
	s.stop = func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	return s
}

// ask asks for something with a key, and returns the answer and its body.
func ask(t *testing.T, method, address, key, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.SetBasicAuth(key, "")
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(text)
}

// TestTelemetry checks what a server exports for an event by which a user joins a bucket: metrics,
// a trace, and its log.
func TestTelemetry(t *testing.T) {
	t.Parallel()
	var traces atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			traces.Add(1)
		}
	}))
	defer collector.Close()
	url := pgtest.NewURL(t)
	s := serveWith(t, url, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	admin := command(t, "keys", "create", "ops", "--admin", "--database", url)
	read := command(t, "keys", "create", "prometheus", "--read", "--database", url)
	call := `{"userId":"ada","traits":{"plan":"trial","trial_days_left":1},"messageId":"request-4711"}`
	if status, body := ask(t, http.MethodPost, s.URL+"/v1/identify", admin, call); status != http.StatusOK {
		t.Fatal(body)
	}
	status, metrics := ask(t, http.MethodGet, s.AdminURL+"/metrics", read, "")
	if status != http.StatusOK {
		t.Fatal(metrics)
	}
	for _, want := range []string{
		`bucketgen_events_total{result="taken"} 1`, `bucketgen_events_total{result="duplicate"} 0`, "bucketgen_transitions_total 1",
		"bucketgen_ingest_duration_seconds_count 1", "bucketgen_flush_size_count 1", "bucketgen_candidates_total 1", "bucketgen_evaluations_total ",
		"bucketgen_clock_lag_seconds 0", "bucketgen_repairs_total 0", "bucketgen_queue_waiting 0", "go_goroutines ", "http_server_request_duration_seconds_count",
	} {
		if !strings.Contains(metrics, "\n"+want) {
			t.Errorf("there is no %s in\n%s", want, metrics)
		}
	}
	for _, wrong := range []struct {
		path, key string
		status    int
	}{
		{"/metrics", "", 401},
		{"/debug/pprof/cmdline", read, 403},
		{"/debug/pprof/cmdline", admin, 200},
		{"/debug/pprof/goroutine", admin, 200},
		{"/healthz", "", 200},
		{"/v1/track", admin, 404},
	} {
		if status, body := ask(t, http.MethodGet, s.AdminURL+wrong.path, wrong.key, ""); status != wrong.status {
			t.Errorf("%s: got %d, want %d\n%s", wrong.path, status, wrong.status, body)
		}
	}
	s.stop()
	logged := map[string]map[string]any{}
	for lines := bufio.NewScanner(s.log); lines.Scan(); {
		entry := map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatalf("%v: %q", err, lines.Text())
		}
		logged[entry["msg"].(string)] = entry
	}
	for what, want := range map[string]map[string]any{
		"event decided":      {"user": "ada", "key": "request-4711", "duplicate": false},
		"transition decided": {"bucket": "trial-expiring-soon", "user": "ada", "transition": "entered", "key": "bucket:trial-expiring-soon:ada:entered:1"},
	} {
		for field, value := range want {
			if logged[what][field] != value {
				t.Errorf("%q has %s %v in the log, want %v", what, field, logged[what][field], value)
			}
		}
	}
	if traces.Load() == 0 {
		t.Error("no traces were sent")
	}
}

// TestDriftMetrics sends a text for a declared number twice, and a name that is near a declared
// one. The metrics count both.
func TestDriftMetrics(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	s := serveWith(t, url)
	defer s.stop()
	admin := command(t, "keys", "create", "ops", "--admin", "--database", url)
	for path, call := range map[string]string{
		"/v1/identify": `{"userId":"ada","traits":{"trial_days_left":"12"}}`,
		"/v1/i":        `{"userId":"bob","traits":{"trial_days_left":"11"}}`,
		"/v1/track":    `{"userId":"ada","event":"app_active"}`,
	} {
		if status, body := ask(t, http.MethodPost, s.URL+path, admin, call); status != http.StatusOK {
			t.Fatal(body)
		}
	}
	pool := pgtest.Open(t, url)
	waitfor.That(t, func() bool { // the engine reads the catalog for metrics once a minute
		var all int
		err := pool.QueryRow(t.Context(), "select coalesce(sum(count), 0) from bucketgen.catalog where name = 'trial_days_left' or event = 'app_active'").Scan(&all)
		return err == nil && all == 3
	})
	_, metrics := ask(t, http.MethodGet, s.AdminURL+"/metrics", admin, "")
	for _, want := range []string{
		`bucketgen_mistyped_total{event="",kind="property",name="trial_days_left",seen="text"} 2`,
		`bucketgen_drift{kind="mistyped"} 1`, `bucketgen_drift{kind="misspelt"} 1`,
	} {
		if !strings.Contains(metrics, "\n"+want+"\n") {
			t.Errorf("there is no %s in\n%s", want, metrics)
		}
	}
}

// TestMetricsAreBounded sends what clients may invent, thousands of times: the metrics have as many
// series as before.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	s := serveWith(t, url)
	defer s.stop()
	go func() { _, _ = io.Copy(io.Discard, s.log) }()
	key := command(t, "keys", "create", "prometheus", "--read", "--database", url)
	invent := func(n int) {
		t.Helper()
		host, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer host.Close()
		answers := bufio.NewReader(host)
		for i := range n {
			for _, line := range []string{"GET /v1/openapi.json HTTP/1.%[2]d", "FROB%[1]d /healthz HTTP/1.1", "GET /v1/%[1]d HTTP/1.1", "PUT%[1]d /x/%[1]d HTTP/1.1"} {
				fmt.Fprintf(host, fmt.Sprintf("%s\r\n", line)+"Host: h%[1]d:%[3]d\r\nAuthorization: Bearer %[4]s\r\n\r\n", i, 1+i%9, 1+i, key)
				got, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, got.Body)
				_ = got.Body.Close()
			}
		}
	}
	series := func() map[string]bool {
		t.Helper()
		status, body := ask(t, http.MethodGet, s.AdminURL+"/metrics", key, "")
		if status != http.StatusOK {
			t.Fatal(body)
		}
		names := map[string]bool{}
		for line := range strings.Lines(body) {
			if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(name, "http_") {
				names[name] = true
			}
		}
		return names
	}
	invent(1)
	before := series()
	invent(1250)
	after := series()
	if len(before) == 0 || len(after) != len(before) {
		t.Errorf("there were %d series and are %d", len(before), len(after))
	}
	for name := range after {
		if !before[name] {
			t.Errorf("new: %s", name)
			break
		}
	}
}
