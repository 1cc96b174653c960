package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// attacked is a server that hostile clients and a good one send to.
type attacked struct {
	*process

	good string // the key of the good client
	slow string // the key of hostile ones, with a rate of 5
}

const (
	hostileClients = 200
	hostileRate    = 5
)

func newAttacked(b *testing.B) *attacked {
	b.Helper()
	url := pgtest.NewURL(b)
	a := &attacked{process: startProcess(b, "bucketd-quiet", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--database", url,
		"--json", "--log-level", "error")}
	a.admin = command(b, "keys", "create", "ops", "--admin", "--database", url)
	a.good = command(b, "keys", "create", "good", "--database", url)
	a.slow = command(b, "keys", "create", "slow", "--rate", strconv.Itoa(hostileRate), "--database", url)
	return a
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

// p99 returns how long a good client waits for 99 of 100 answers, which sends 50 calls a second,
// each as soon as its time has come, whether those before it are answered or not.
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

// attack sends without a pause by all clients, until done, and returns how many events were stored
// and refused.
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

// BenchmarkHostileKeyless measures what 200 requests without a key that is known cost while all are
// in flight, on connections that were idle: the memory and the processor time of the server. Beside
// it is what the same requests cost a bare HTTP server of the standard library in the same run.
func BenchmarkHostileKeyless(b *testing.B) {
	a, bare := newAttacked(b), startProcess(b, "barehttp")
	waves := hostileWaves()
	a.pay(b, waves[0], 0) // warms up
	bare.pay(b, waves[0], 0)
	idle := a.idle(b)
	report("idle: %.1f ms/s; the bounds are 10 ms and 1 MB", ms(idle))
	for _, w := range waves {
		b.Run(w.name, func(b *testing.B) {
			for b.Loop() {
				floor, got := compare(b, w, bare, a.process, idle)
				report("%d at once: %v; bare server: %v", hostileClients, got, floor)
				b.ReportMetric(ms(got.processor), "processor_ms")
				b.ReportMetric(got.heap+got.stacks, "held_MB")
				b.ReportMetric(ms(floor.processor), "bare_ms")
				b.ReportMetric(floor.heap+floor.stacks, "bare_MB")
			}
		})
	}
}

// report prints a figure. The log of a benchmark is cut after ten lines.
func report(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkHostileKey measures what 200 clients with a write key of 5 events a second reach, while
// a client with another key goes on. All is measured in one run.
func BenchmarkHostileKey(b *testing.B) {
	const (
		span       = 10 * time.Second
		mostMemory = 256
		mostRatio  = 2
	)
	a := newAttacked(b)
	clients := make([]*http.Client, hostileClients)
	for i := range clients {
		clients[i] = &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
		b.Cleanup(clients[i].CloseIdleConnections)
	}
	for b.Loop() {
		alone := a.p99(b, span)
		done := make(chan struct{})
		var attackers sync.WaitGroup
		var stored, refused int64
		began := time.Now()
		attackers.Go(func() { stored, refused = a.attack(b, clients, a.slowCalls(), done) })
		beside := a.p99(b, span)
		close(done)
		attackers.Wait()
		lasted := time.Since(began).Seconds()
		taken := max(0, float64(stored+refused-hostileRate)/lasted) // a key begins with its rate
		ratio := ms(beside) / ms(alone)
		report("stored and refused: %.1f/s (bound %d/s); %d and %d events in %.1f s", taken, hostileRate, stored, refused, lasted)
		report("p99 of another key: %.1f ms alone, %.1f ms beside the attack, %.2f times (bound %d times)", ms(alone), ms(beside), ratio, mostRatio)
		report("memory: %.0f MB at most (bound %d MB)", a.peak(b), mostMemory)
		b.ReportMetric(taken, "stored+refused/s")
		b.ReportMetric(ms(alone), "p99_ms")
		b.ReportMetric(ms(beside), "p99_attacked_ms")
		b.ReportMetric(ratio, "p99_ratio")
		b.ReportMetric(a.peak(b), "peak_MB")
	}
}

// slowCalls are what the hostile clients send by their key.
func (a *attacked) slowCalls() []hostile {
	zip := func(r *http.Request) {
		r.Header.Set("Content-Encoding", "gzip")
		r.SetBasicAuth(a.slow, "")
	}
	call := `{"type":"track","userId":"ada","event":"order"}`
	batch := func(n int, item string) string { return `{"batch":[` + strings.Repeat(item+",", n-1) + item + "]}" }
	return []hostile{
		{"/v1/batch?results=1", zipped(batch(23_000, "{}")), zip},
		{"/v1/batch", zipped(batch(4_000, call)), zip},
		{"/v1/batch?results=1", batch(1_000, "1"), basic(a.slow)},
		{"/v1/batch?results=1", batch(5, `{"type":"`+strings.Repeat("<", 10_000)+`"}`), basic(a.slow)},
		{"/v1/batch", batch(15, call), basic(a.slow)},
		{"/v1/track", call, basic(a.slow)},
		{"/v1/track", `{"userId":"` + strings.Repeat("x", 60<<10) + `"}`, basic(a.slow)},
	}
}
