// Package server makes a command line of a registry: the program that a host builds around its own buckets. A host's
// main is this and no more:
//
//	func main() {
//		server.Main(server.Host{
//			Registry: gen.Registry,
//			Handlers: func(e *engine.Engine) error {
//				return e.OnEnter(gen.PowerUsers, engine.EnterHandler{Name: "welcome", Func: sendWelcome})
//			},
//		})
//	}
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// Host is the program that is built around a registry.
type Host struct {
	// Registry is the generated one: gen.Registry.
	Registry *registry.Registry

	// Name is what the program is called. Defaults to the name of its file.
	Name string

	// Config configures the engine; commands change what they must. Defaults to the zero value.
	Config engine.Config

	// Handlers registers handlers, before the engine is started by a command that delivers. Defaults to none.
	Handlers func(e *engine.Engine) error
}

// Exit codes.
const (
	exitOK      = 0
	exitRefused = 1 // some of the input was refused
	exitTrouble = 2 // the command could not do what it was to do
)

// Main runs the command line of this process and ends it.
func Main(h Host) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, h, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Run runs a command line and returns its exit code: 0 if all went well, 1 if some of the input was refused, 2 if the
// command failed.
func Run(ctx context.Context, h Host, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if h.Name == "" {
		h.Name = filepath.Base(os.Args[0])
	}
	c := &cli{host: h}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var refused *refusedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &refused):
		fmt.Fprintln(stderr, err)
		return exitRefused
	default:
		fmt.Fprintf(stderr, "%s: %v\n", h.Name, err)
		return exitTrouble
	}
}

// refusedError says that a command did its work, but not all of its input was fit for it.
type refusedError struct{ events int64 }

func (e *refusedError) Error() string {
	return fmt.Sprintf("%d events were refused; all others were taken in", e.events)
}

// cli is a command line being run.
type cli struct {
	host     Host
	database string
	schema   string
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   c.host.Name,
		Short: "Real-time user segments on PostgreSQL",
		Long: `Keeps buckets, sets of users that are true at every instant, on PostgreSQL.

Every command works on the database that --database or $DATABASE_URL names. Without
either it starts a private PostgreSQL of its own, from the binaries on this machine,
which keeps its data in the directory .bucketgen.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.database, "database", os.Getenv("DATABASE_URL"), "URL of the database, or temp for a private one that is gone afterwards (default $DATABASE_URL, or a private one)")
	flags.StringVar(&c.schema, "schema", c.host.Config.Schema, "schema of the tables (default bucketgen)")
	root.AddCommand(c.devCommand(), c.migrateCommand(), c.membersCommand(), c.replayCommand())
	return root
}
