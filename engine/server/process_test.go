package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // the command that is measured is a host, which has a registry
)

// process is a server in a process of its own, so that the cost of its clients is not counted.
type process struct {
	served

	pid   int
	admin string // an admin key
}

func startProcess(b *testing.B, name string, args ...string) *process {
	b.Helper()
	if _, err := os.Stat("/proc/self/task"); err != nil {
		b.Skip("there is no /proc, which says what a process takes")
	}
	cmd := exec.CommandContext(b.Context(), name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &process{pid: cmd.Process.Pid}
	if err := json.NewDecoder(out).Decode(&p.served); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	return p
}

// address returns the address of the server.
func (p *process) address() string { return strings.TrimPrefix(p.URL, "http://") }

// processor returns the processor time that the server has used.
func (p *process) processor(b *testing.B) time.Duration {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.pid))
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

// peak returns the most memory that the server had, in MB.
func (p *process) peak(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	return number(b, rest) / 1024
}

// memory is what a server uses, in MB.
type memory struct{ heap, stacks float64 }

func (m memory) less(n memory) memory { return memory{m.heap - n.heap, m.stacks - n.stacks} }

// live returns the memory that the server uses after a garbage collection.
func (p *process) live(b *testing.B) memory {
	b.Helper()
	p.profile(b, "heap?gc=1") // empties what is kept for reuse, as a second collection does
	text := p.profile(b, "heap?gc=1&debug=1")
	_, heap, _ := strings.Cut(text, "# HeapAlloc = ")
	_, stack, _ := strings.Cut(text, "# Stack = ")
	return memory{number(b, heap) / (1 << 20), number(b, stack) / (1 << 20)}
}

// profile returns a profile of the server.
func (p *process) profile(b *testing.B, which string) string {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, p.AdminURL+"/debug/pprof/"+which, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.SetBasicAuth(p.admin, "")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		b.Fatalf("%s: got %d %s, %v", which, got.StatusCode, text, err)
	}
	return string(text)
}

func number(b *testing.B, text string) (n float64) {
	b.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		b.Fatal(err)
	}
	return n
}

// quietHost is bucketd with background polls so far apart that its own work does not hide the cost
// of requests.
func quietHost() {
	server.Main(server.Host{Registry: gen.Registry, Name: "bucketd", Config: engine.Config{
		CatalogFlush: time.Hour, ClockPoll: time.Hour, DeliveryPoll: time.Hour, DeployPoll: time.Hour, FeedPoll: time.Hour,
	}})
}

// bareHost is the floor of what requests cost: an HTTP server of the standard library with the
// timeouts of bucketd, which answers each request by 401, whatever it has, after a time in which
// all of a wave are in flight.
func bareHost() {
	at, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // the process ends by a signal
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(time.Second / 2)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
		const small = 16 << 10 // as for bucketd
		if r.ContentLength < 0 || r.ContentLength > small {
			w.Header().Set("Connection", "close")
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	url := "http://" + at.Addr().String()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"url": url, "adminUrl": url}); err != nil {
		panic(err)
	}
	s := http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	panic(s.Serve(at))
}
