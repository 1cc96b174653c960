// Command pictures draws the pictures of docs/img that are made from the product: states of a stay,
// the map of the tables, a rolling deployment, the life of an event, and the demo in a terminal.
// Usage: pictures DIR.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/bucketgen/bucketgen/internal/postgres"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pictures DIR")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// run draws every picture. All need a database but the states of a stay.
func run(ctx context.Context, dir string, progress io.Writer) (err error) {
	server, err := postgres.Start(ctx, postgres.Options{URL: os.Getenv("TEST_DATABASE_URL")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	for _, picture := range []struct {
		name string
		draw func(ctx context.Context, server *postgres.Server) ([]byte, error)
	}{
		{"stay-states.svg", func(context.Context, *postgres.Server) ([]byte, error) { return stayStates() }},
		{"tables.svg", tables},
		{"rolling-deploy.svg", rollingDeploy},
		{"life-of-an-event.svg", lifeOfAnEvent},
		{"terminal-demo.svg", func(ctx context.Context, _ *postgres.Server) ([]byte, error) { return demo(ctx) }},
	} {
		svg, err := picture.draw(ctx, server)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, picture.name), svg, 0o644) //nolint:gosec // a picture is read by all
		}
		if err != nil {
			return fmt.Errorf("draw %s: %w", picture.name, err)
		}
		fmt.Fprintln(progress, "drew", picture.name)
	}
	return nil
}
