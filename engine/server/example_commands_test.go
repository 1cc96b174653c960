package server_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// Members of a manual bucket come from a CSV file, as do contacts with their traits, and events.
func ExampleRun_import() {
	t, done := pgtest.Testing()
	defer done()
	url := pgtest.NewURL(t)
	shell(io.Discard, nil, "deploy", "--database", url)

	file := strings.NewReader("userId\nada\nbob\n")
	shell(os.Stdout, file, "import", "members", "beta-testers", "-", "--database", url)
	// Output: imported 2 lines: 2 joins, 0 leaves
}

// The members of a bucket are exported as CSV, or as lines of JSON.
func ExampleRun_export() {
	t, done := pgtest.Testing()
	defer done()
	url := pgtest.NewURL(t)
	event := strings.NewReader(`{"type":"identify","userId":"ada","traits":{"plan":"trial","trial_days_left":2},"timestamp":"2026-01-01T09:00:00Z"}`)
	shell(io.Discard, event, "replay", "-", "--until", "2026-01-02T00:00:00Z", "--database", url)

	shell(os.Stdout, nil, "export", "members", "trial-expiring-soon", "--database", url)
	// Output:
	// userId,email,enteredAt,leftAt,entryCount,membershipId,source,idKind,id,enteredAsKind,enteredAsId
	// ada,,2026-01-01T09:00:00Z,,1,1,event,user,ada,,
}

// A simulation says what events would have done, without a database.
func ExampleRun_simulate() {
	var events strings.Builder
	for _, day := range []string{"01", "02", "03"} {
		events.WriteString(`{"type":"track","event":"app.active","userId":"ada","timestamp":"2026-01-` + day + `T09:00:00Z"}` + "\n")
	}

	var out strings.Builder
	shell(&out, strings.NewReader(events.String()), "simulate", "-", "--until", "2026-02-01T00:00:00Z")
	table, _, _ := strings.Cut(out.String(), "\n\n") // how long it took comes after
	fmt.Println(table)
	// Output:
	// bucket                entered      left    active
	// beta-testers                0         0         0
	// power-users                 0         0         0
	// trial-expiring-soon         0         0         0
	// went-dormant                1         0         1
}

// A doctor checks an installation, and says what to do about what it finds.
func ExampleRun_doctor() {
	t, done := pgtest.Testing()
	defer done()
	var findings strings.Builder

	code := shell(&findings, nil, "doctor", "--database", pgtest.NewURL(t))
	for line := range strings.Lines(findings.String()) {
		if strings.HasPrefix(line, "warn    deployment") {
			fmt.Print(line)
		}
	}
	fmt.Println("exit code", code)
	// Output:
	// warn    deployment   nothing is deployed: no bucket is active
	// exit code 1
}

// shell runs a command as a shell does.
func shell(out io.Writer, in io.Reader, args ...string) int {
	if in == nil {
		in = strings.NewReader("")
	}
	return server.Run(context.Background(), server.Host{Registry: gen.Registry, Name: "bucketd"}, args, in, out, os.Stderr)
}
