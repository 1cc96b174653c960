package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// attacked is a server in a process of its own, which hostile clients and a good one send to.
type attacked struct {
	served

	pid  int
	good string // the key of the good client
	slow string // the key of hostile ones, with a rate of 5
}

const (
	hostileClients = 200
	hostileRate    = 5
)

func newAttacked(b *testing.B) *attacked {
	b.Helper()
	if _, err := os.Stat("/proc/self/task"); err != nil {
		b.Skip("there is no /proc, which says what a process takes")
	}
	url := pgtest.NewURL(b)
	cmd := exec.CommandContext(b.Context(), "bucketd", "serve", "--listen", "127.0.0.1:0", "--database", url, "--json", "--log-level", "error")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	a := &attacked{pid: cmd.Process.Pid}
	if err := json.NewDecoder(out).Decode(&a.served); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	a.good = command(b, "keys", "create", "good", "--database", url)
	a.slow = command(b, "keys", "create", "slow", "--rate", strconv.Itoa(hostileRate), "--database", url)
	return a
}

// processor returns what the server has taken of the processor.
func (a *attacked) processor(b *testing.B) time.Duration {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", a.pid))
	if err != nil {
		b.Fatal(err)
	}
	var all time.Duration
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		ns, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(ns, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		all += time.Duration(n)
	}
	return all
}

// memory returns a line of what the system says of the server's memory, in MB: VmRSS is what it has, VmHWM the most it had.
func (a *attacked) memory(b *testing.B, line string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), line+":")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// hostile is what a client sends.
type hostile struct {
	path, body string
	change     func(*http.Request)
}

// post sends what a client sends, and returns the status and the body of the answer.
func (a *attacked) post(b *testing.B, c *http.Client, h hostile) (int, []byte) {
	b.Helper()
	method := http.MethodPost
	if h.body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(b.Context(), method, a.URL+h.path, strings.NewReader(h.body))
	if err != nil {
		b.Error(err)
		return 0, nil
	}
	r.Header.Set("Content-Type", "application/json")
	if h.change != nil {
		h.change(r)
	}
	got, err := c.Do(r)
	if err != nil {
		return 0, nil // the server may cut connections
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(got.Body)
	return got.StatusCode, text
}

// idle returns what the server takes of the processor in a second in which it is asked for nothing.
func (a *attacked) idle(b *testing.B) time.Duration {
	b.Helper()
	const span = 3
	before := a.processor(b)
	<-time.After(span * time.Second)
	return (a.processor(b) - before) / span
}

// wave sends one request by each client at once, and returns what they took of the processor, beyond what the server takes when it
// is idle, and of memory.
func (a *attacked) wave(b *testing.B, clients []*http.Client, idle time.Duration, what func(client int) hostile) (time.Duration, float64) {
	b.Helper()
	began, before, memory := time.Now(), a.processor(b), a.memory(b, "VmRSS")
	var group sync.WaitGroup
	for i, c := range clients {
		group.Go(func() { a.post(b, c, what(i)) })
	}
	group.Wait()
	return a.processor(b) - before - time.Duration(time.Since(began).Seconds()*float64(idle)), a.memory(b, "VmRSS") - memory
}

// p99 returns how long a good client waits for 99 of 100 answers, which sends 50 calls a second, each as soon as its time has
// come, whether those before it are answered or not.
func (a *attacked) p99(b *testing.B, span time.Duration) time.Duration {
	b.Helper()
	const pace = 20 * time.Millisecond
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var took []time.Duration
	var group sync.WaitGroup
	ticks := time.NewTicker(pace)
	defer ticks.Stop()
	n := 0
	for begin := time.Now(); time.Since(begin) < span; n++ {
		began := <-ticks.C
		group.Go(func() {
			status, text := a.post(b, client, hostile{"/v1/track", fmt.Sprintf(`{"userId":"u%d","event":"order"}`, n%100), basic(a.good)})
			if status != http.StatusOK {
				b.Errorf("the good client got %d %s", status, text)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(began))
		})
	}
	group.Wait()
	slices.Sort(took)
	return took[len(took)*99/100]
}

// attack sends without a pause by all clients, until done, and returns how many events were stored and refused.
func (a *attacked) attack(b *testing.B, clients []*http.Client, what []hostile, done <-chan struct{}) (stored, refused int64) {
	b.Helper()
	var accepted, declined atomic.Int64
	var group sync.WaitGroup
	for i, c := range clients {
		group.Go(func() {
			for n := i; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				h := what[n%len(what)]
				status, text := a.post(b, c, h)
				var answer struct {
					Accepted, Refused int64
					Field             string
					Others            []json.RawMessage
				}
				if json.Unmarshal(text, &answer) != nil {
					continue
				}
				accepted.Add(answer.Accepted)
				declined.Add(answer.Refused + int64(len(answer.Others)))
				if status == http.StatusBadRequest {
					declined.Add(1)
				}
			}
		})
	}
	group.Wait()
	return accepted.Load(), declined.Load()
}

// BenchmarkHostile measures what 200 hostile clients cost: without a key, and with a write key of 5 events a second, while a
// client with another key goes on. All is measured in one run.
func BenchmarkHostile(b *testing.B) {
	const span = 10 * time.Second
	a := newAttacked(b)
	clients := make([]*http.Client, hostileClients)
	for i := range clients {
		clients[i] = &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
		b.Cleanup(clients[i].CloseIdleConnections)
	}
	items := strings.Repeat("1,", 240_000) + "1"
	bomb := zipped(`{"batch":[` + items + "]}")
	gzip := func(change func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Content-Encoding", "gzip")
			if change != nil {
				change(r)
			}
		}
	}
	text := `{"userId":"` + strings.Repeat("x", 60<<10) + `"}`
	keyless := []hostile{
		{"/v1/batch", bomb, gzip(nil)},
		{"/v1/track", text, nil},
		{"/v1/track", zipped(text), gzip(nil)},
		{"/v1/batch", `{"batch":[` + items[:100_000] + "]}", basic("unknown")},
	}
	call := `{"type":"track","userId":"ada","event":"order"}`
	batch := func(n int, item string) string { return `{"batch":[` + strings.Repeat(item+",", n-1) + item + "]}" }
	slow := []hostile{
		{"/v1/batch?results=1", zipped(batch(23_000, "{}")), gzip(basic(a.slow))},
		{"/v1/batch", zipped(batch(4_000, call)), gzip(basic(a.slow))},
		{"/v1/batch?results=1", batch(1_000, "1"), basic(a.slow)},
		{"/v1/batch?results=1", batch(5, `{"type":"`+strings.Repeat("<", 10_000)+`"}`), basic(a.slow)},
		{"/v1/batch", batch(15, call), basic(a.slow)},
		{"/v1/track", call, basic(a.slow)},
		{"/v1/track", text, basic(a.slow)},
	}
	for b.Loop() {
		healthz := func(int) hostile { return hostile{path: "/healthz"} }
		a.wave(b, clients, 0, healthz) // connects
		rest := a.idle(b)
		const waves = 5
		var idle, cost []time.Duration
		var grew float64
		for range waves {
			took, _ := a.wave(b, clients, rest, healthz)
			idle = append(idle, took)
			took, memory := a.wave(b, clients, rest, func(i int) hostile {
				h := keyless[i%len(keyless)]
				if i%len(keyless) == 3 {
					h.change = basic("unknown" + strconv.Itoa(i))
				}
				return h
			})
			cost = append(cost, took)
			grew = max(grew, memory)
		}
		slices.Sort(idle)
		slices.Sort(cost)
		alone := a.p99(b, span)
		done := make(chan struct{})
		var attackers sync.WaitGroup
		var stored, refused int64
		began := time.Now()
		attackers.Go(func() { stored, refused = a.attack(b, clients, slow, done) })
		beside := a.p99(b, span)
		close(done)
		attackers.Wait()
		lasted := time.Since(began).Seconds()
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		b.ReportMetric(ms(rest), "idle_ms/s")
		b.ReportMetric(ms(idle[waves/2]), "healthz_ms")
		b.ReportMetric(ms(cost[waves/2]), "keyless_ms")
		b.ReportMetric(grew, "keyless_MB")
		b.ReportMetric((float64(stored)-hostileRate)/lasted, "stored/s")
		b.ReportMetric(float64(stored+refused-hostileRate)/lasted, "stored+refused/s")
		b.ReportMetric(ms(alone), "p99_ms")
		b.ReportMetric(ms(beside), "p99_attacked_ms")
		b.ReportMetric(ms(beside)/ms(alone), "p99_ratio")
		b.ReportMetric(a.memory(b, "VmHWM"), "peak_MB")
	}
}
