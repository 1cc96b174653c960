// Command pictures draws the pictures of docs/img that are made from the product: states of a stay,
// the map of the tables, a rolling deployment, the life of an event, and the demo in a terminal.
// Usage: pictures DIR [NAME...]. Without names it draws all.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/bucketgen/bucketgen/internal/postgres"
)

// drawing is a picture and how it is drawn. All need a database but the states of a stay.
type drawing struct {
	name     string
	recorded bool // from a run, so that its times differ each time
	draw     func(ctx context.Context, server *postgres.Server) ([]byte, error)
}

var drawings = []drawing{
	{"stay-states", false, func(context.Context, *postgres.Server) ([]byte, error) { return stayStates() }},
	{"tables", false, tables},
	{"rolling-deploy", true, rollingDeploy},
	{"life-of-an-event", true, lifeOfAnEvent},
	{"terminal-demo", true, func(ctx context.Context, _ *postgres.Server) ([]byte, error) { return demo(ctx) }},
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: pictures DIR [NAME...]")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// run draws the named pictures into a folder, or all of them.
func run(ctx context.Context, dir string, names []string, progress io.Writer) (err error) {
	for _, name := range names {
		if !slices.ContainsFunc(drawings, func(d drawing) bool { return d.name == name }) {
			return fmt.Errorf("no picture is named %q", name)
		}
	}
	server, err := postgres.Start(ctx, postgres.Options{URL: os.Getenv("TEST_DATABASE_URL")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	for _, d := range drawings {
		if len(names) > 0 && !slices.Contains(names, d.name) {
			continue
		}
		svg, err := d.draw(ctx, server)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, d.name+".svg"), svg, 0o644) //nolint:gosec // a picture is read by all
		}
		if err != nil {
			return fmt.Errorf("draw %s: %w", d.name, err)
		}
		fmt.Fprintln(progress, "drew", d.name)
	}
	return nil
}
