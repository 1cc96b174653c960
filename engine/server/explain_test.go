package server_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // the command that is tested is a host, which has a registry
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// TestExplain explains users with different histories, as of noon of the tenth of January 2026.
func TestExplain(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.January, 10, 12, 0, 0, 0, time.UTC)
	clock := noon
	url, h := pgtest.NewURL(t), server.Host{Registry: gen.Registry, Name: "bucketd", Config: engine.Config{
		Now: func() time.Time { return clock },
	}}
	e := stories(t, url, &clock, noon)
	for _, test := range []struct {
		name string
		args []string
	}{
		{"member", []string{"power-users", "ada"}},                   // stays for the minimal dwell, though she was not active lately
		{"too_little", []string{"power-users", "bob"}},               // is not active enough
		{"again", []string{"power-users", "cyd"}},                    // was a member, and may come back unannounced
		{"soon", []string{"trial-expiring-soon", "dee"}},             // joins by the clock
		{"blocked", []string{"trial-expiring-soon", "eve"}},          // left by the maximal dwell
		{"dormant", []string{"went-dormant", "cyd"}},                 // joined by the clock
		{"manual", []string{"beta-testers", "ada"}},                  // was added
		{"stranger", []string{"beta-testers", "bob"}},                // never was
		{"json", []string{"power-users", "ada", "--json"}},           // for programs
		{"json_stranger", []string{"beta-testers", "bob", "--json"}}, // with little to say
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"explain", "--database", url}, test.args...)
		if code := server.Run(t.Context(), h, args, strings.NewReader(""), &stdout, &stderr); code != 0 {
			t.Fatalf("%s: exit code %d\n%s", test.name, code, &stderr)
		}
		golden(t, filepath.Join("testdata", "explain", test.name+".txt"), stdout.String())
	}
	if err := e.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"power-users", "unknown"}, `bucketd: explain bucket "power-users" for user "unknown": the user is unknown`},
		{[]string{"power-users", "ada"}, `bucketd: explain bucket "power-users" for user "ada": the user is deleted`},
		{[]string{"power-users", ""}, `bucketd: explain: user_id: is empty`},
		{[]string{"powers", "ada"}, `bucketd: there is no bucket "powers"; there are beta-testers, power-users, trial-expiring-soon, went-dormant`},
		{[]string{"power-users"}, `bucketd: explain takes a BUCKET and a USER, got 1 argument; see bucketd explain --help`},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"explain", "--database", url}, test.args...)
		code := server.Run(t.Context(), h, args, strings.NewReader(""), &stdout, &stderr)
		if got := strings.TrimSuffix(stderr.String(), "\n"); code != 2 || got != test.want || stdout.Len() > 0 {
			t.Errorf("%q: exit code %d, %s; want 2, %s", test.args, code, got, test.want)
		}
	}
}

// stories lets users live up to noon.
func stories(t *testing.T, url string, clock *time.Time, noon time.Time) *engine.Engine {
	t.Helper()
	e, err := engine.New(pgtest.Open(t, url), gen.Registry, engine.Config{
		Now: func() time.Time { return *clock }, VirtualTime: true, NoClock: true, NoDelivery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ago := func(d time.Duration, events ...engine.Event) {
		*clock = noon.Add(-d)
		for _, event := range events {
			if _, err := e.Ingest(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		}
	}
	active := func(user string) engine.Event { return engine.Event{UserID: user, Name: "app.active"} }
	traits := func(user string, traits map[string]any) engine.Event {
		return engine.Event{UserID: user, Traits: traits}
	}
	ago(30*bucket.Day, traits("cyd", map[string]any{"plan": "pro"}), active("cyd"), active("cyd"), active("cyd"), active("cyd"), active("cyd"))
	ago(9*bucket.Day, traits("eve", map[string]any{"plan": "trial", "trial_days_left": 2}))
	ago(6*bucket.Day+23*bucket.Hour, active("ada"), active("ada"))
	ago(2*bucket.Day, active("bob"), active("ada"))
	ago(bucket.Day, traits("dee", map[string]any{"plan": "trial", "trial_ends_at": noon.Add(5 * bucket.Day).Format(time.RFC3339)}))
	ago(12*bucket.Hour, traits("ada", map[string]any{"plan": "pro", "email": "ada@example.com"}), active("ada"), active("ada"), active("bob"))
	ago(time.Hour, traits("bob", map[string]any{"plan": "free"}))
	if _, err := e.Add(t.Context(), gen.BetaTesters, "ada"); err != nil {
		t.Fatal(err)
	}
	*clock = noon
	return e
}

// golden compares a text with that in a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: %s", file, diff)
	}
}
