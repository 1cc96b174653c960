package server_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/server/otlp"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // the command that is tested is a host, which has a registry
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

var update = flag.Bool("update", false, "rewrite what scripts expect")

func TestMain(m *testing.M) {
	testscript.Main(withPostgres{m}, map[string]func(){
		"bucketd":       func() { server.Main(server.Host{Registry: gen.Registry, Tracers: otlp.Tracers}) },
		"bucketd-none":  func() { shop() },
		"bucketd-quiet": quietHost,
		"barehttp":      bareHost,
		"bucketd-old": func() {
			shop(bucket.Define(bucket.Spec{ID: "big", Criteria: orders.Within(30 * bucket.Day).AtLeast(3), MinDwell: bucket.Day}),
				bucket.Define(bucket.Spec{ID: "gone", Criteria: orders.AtLeast(1)}), paying)
		},
		"bucketd-new": func() {
			shop(bucket.Define(bucket.Spec{ID: "big", Criteria: bucket.Any(orders.Within(30*bucket.Day).AtLeast(4), plan.Is("enterprise"))}),
				bucket.Define(bucket.Spec{ID: "quiet", Name: "Quiet customers", Criteria: bucket.All(orders.Exists(), orders.Within(10*bucket.Day).Never())}), paying)
		},
	})
}

// The vocabulary and a bucket of commands whose buckets change.
var (
	orders = bucket.Event("order")
	plan   = bucket.Text("plan")
	paying = bucket.Define(bucket.Spec{ID: "pro", Criteria: plan.Is("pro")})
)

// shop runs the command line of buckets of its own.
func shop(definitions ...bucket.Definition) {
	r, err := registrytest.Of(definitions...)
	if err != nil {
		panic(err)
	}
	server.Main(server.Host{Registry: r, Name: "bucketd", Handlers: func(e *engine.Engine) error {
		ref, known := r.Ref("big")
		if !known {
			return nil
		}
		return e.OnLeave(ref, engine.LeaveHandler{Name: "win back", Func: func(context.Context, engine.Transition) error { return nil }})
	}})
}

// withPostgres runs tests and stops the server that they started.
type withPostgres struct{ m *testing.M }

func (w withPostgres) Run() int { return pgtest.Run(w.m) }

// TestScripts runs the command line of this repository's buckets. Each script has a database of its
// own, without tables, in DATABASE_URL, and a receiver of webhooks of its own at RECEIVER.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"status": status, "zip": zip, "isjson": isJSON},
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATABASE_URL", pgtest.NewEmptyURL(env.T().(testing.TB)))
			receiver := httptest.NewServer(http.HandlerFunc(receive))
			env.Defer(receiver.Close)
			env.Setenv("RECEIVER", receiver.URL)
			env.Setenv("ESC", "\x1b[31m\nforged") // which no script can write
			return nil
		},
	})
}

// receive takes webhooks at /ok, and refuses them elsewhere.
func receive(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ok" {
		http.Error(w, "who are you?", http.StatusForbidden)
	}
}

// status runs a command that must exit with a certain status: status 2 bucketd members.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status number command [args...]")
	}
	got, exited := 0, (*exec.ExitError)(nil)
	err := ts.Exec(args[1], args[2:]...)
	switch {
	case errors.As(err, &exited):
		got = exited.ExitCode()
	case err != nil:
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// isJSON checks that the output is a number of JSON values: isjson 2.
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: isjson number")
	}
	in := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	n := 0
	for {
		var v any
		err := in.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		n++
	}
	if strconv.Itoa(n) != args[0] {
		ts.Fatalf("%d JSON values were printed, want %s", n, args[0])
	}
}

// zip compresses a file: zip events.jsonl events.jsonl.gz.
func zip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: zip file zipped")
	}
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	w := gzip.NewWriter(f)
	_, err = w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(errors.Join(err, w.Close(), f.Close()))
}
