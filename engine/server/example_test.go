package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
)

// This is the main of a host.
func ExampleMain() { //nolint:testableexamples // it ends the process
	server.Main(server.Host{
		Registry: gen.Registry,
		Handlers: func(e *engine.Engine) error {
			return e.OnEnter(gen.PowerUsers, engine.EnterHandler{
				Name: "welcome",
				Func: func(_ context.Context, t engine.Transition) error {
					slog.Info("a new power user", "user", t.UserID)
					return nil
				},
			})
		},
	})
}

// Run is Main for who has arguments and streams of their own. Here it replays events into a private
// PostgreSQL.
func ExampleRun() {
	events := strings.NewReader(`{"type":"track","event":"app.active","userId":"ada","timestamp":"2026-01-01T09:00:00Z"}
{"type":"track","event":"app.active","userId":"ada","timestamp":"2026-01-02T09:00:00Z"}
{"type":"track","event":"app.active","userId":"ada","timestamp":"2026-01-03T09:00:00Z"}
`)
	args := []string{"replay", "-", "--until", "2026-02-01T00:00:00Z", "--database", "temp"}
	var out strings.Builder
	code := server.Run(context.Background(), server.Host{Registry: gen.Registry, Name: "bucketd"}, args, events, &out, os.Stderr)
	table, _, _ := strings.Cut(out.String(), "\n\n") // how long it took comes after
	fmt.Println("exit code", code)
	fmt.Println(table)
	// Output:
	// exit code 0
	// bucket                entered      left    active
	// beta-testers                0         0         0
	// power-users                 0         0         0
	// trial-expiring-soon         0         0         0
	// went-dormant                1         0         1
}
