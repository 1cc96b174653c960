// Package server makes a command line of a registry: the program that a host builds around its own
// buckets. A host's main is this and no more:
//
//	func main() {
//		server.Main(server.Host{
//			Registry: gen.Registry,
//			Handlers: func(e *engine.Engine) error {
//				welcome := engine.EnterHandler{Name: "welcome", Func: sendWelcome}
//				return e.OnEnter(gen.PowerUsers, welcome)
//			},
//		})
//	}
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/store"
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

	// Pool changes how the program connects to the database: BeforeConnect for passwords that
	// expire, TLS, tracers, sizes. It is called once for each command, with what the URL says.
	// Defaults to nil: as the URL says. Each connection reads a password that the URL does not have
	// from PGPASSFILE again, unless Pool sets another BeforeConnect.
	Pool func(config *pgxpool.Config) error

	// HTTP says how the HTTP API behaves. Defaults to the zero value.
	HTTP HTTP

	// StopTimeout bounds how long serve takes to stop after a signal. Requests and handlers that
	// take longer are cut off; what was not acknowledged is sent again. Defaults to 30 s.
	StopTimeout time.Duration

	// Tracers makes what sends traces, for serve: otlp.Tracers does. It is given the host's name,
	// and may return nil. Defaults to what Config has.
	Tracers func(ctx context.Context, name string) (Tracers, error)

	// Handlers registers handlers, before the engine is started by a command that delivers.
	// Defaults to none.
	Handlers func(e *engine.Engine) error

	// Services makes what works beside the engine, before it is started by a command that delivers.
	// Defaults to none.
	Services func(e *engine.Engine) ([]Service, error)
}

// Exit codes.
const (
	exitOK      = 0
	exitRefused = 1 // some of the input was refused, a plan has changes, or an endpoint did not take a test
	exitTrouble = 2 // the command could not do what it was to do
)

// Main runs the command line of this process and ends it.
func Main(h Host) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who interrupts twice does not want to wait
	code := Run(ctx, h, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Run runs a command line and returns its exit code: 0 if all went well, 1 if some of the input was
// refused, a plan has changes, or an endpoint of webhooks did not take a test, 2 if the command
// failed.
func Run(ctx context.Context, h Host, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if h.Name == "" {
		h.Name = filepath.Base(os.Args[0])
	}
	c := &cli{host: h}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	out, errs, end := escaping(stdout, stderr)
	root.SetOut(out)
	root.SetErr(errs)
	code := h.exit(ctx, root.ExecuteContext(ctx), errs)
	if err := end(); err != nil && code == exitOK {
		return exitTrouble
	}
	return code
}

// exit prints what went wrong and returns the exit code.
func (h *Host) exit(ctx context.Context, err error, stderr io.Writer) int {
	var refused *refusedError
	if outdated, ok := errors.AsType[*store.OutdatedError](err); ok {
		err = fmt.Errorf("%w; run %s migrate", outdated, h.Name)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errChanges), errors.Is(err, errNotTaken):
		return exitRefused
	case errors.Is(err, errUnwell):
		return exitTrouble
	case errors.As(err, &refused):
		_, _ = io.WriteString(stderr, err.Error()+"\n")
		return exitRefused
	case ctx.Err() != nil && !errors.Is(err, errInterrupted):
		err = fmt.Errorf("%w: %w", errInterrupted, err)
	}
	_, _ = io.WriteString(stderr, h.Name+": "+err.Error()+"\n") // it may have several lines
	return exitTrouble
}

// errInterrupted says that a command did not do all of its work, because it was interrupted.
var errInterrupted = errors.New("interrupted")

// refusedError says that a command did its work, but not all of its input was fit for it.
type refusedError struct {
	n    int64
	what string
}

func (e *refusedError) Error() string {
	was := "were"
	if e.n == 1 {
		was = "was"
	}
	return fmt.Sprintf("%s %s refused; all others were accepted", count(e.n, e.what), was)
}

// cli is a command line being run.
type cli struct {
	host     Host
	database string
	schema   string
	asJSON   bool // print JSON: an object, or one per line of a list

	secretFile string // secretFile has the secret under which ids of erased persons are hashed

	logFormat, logLevel string
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   c.host.Name,
		Short: "Real-time user segments on PostgreSQL",
		Long: `Keeps buckets, sets of users that are exact at every instant, in PostgreSQL.

Every command uses the database of --database or $DATABASE_URL. Without either it starts a private
PostgreSQL from the binaries on this machine, with its data in the directory .bucketgen.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.database, "database", "", "`URL` of the database, or temp for a private one that is deleted afterwards (default $DATABASE_URL, or a private one)")
	flags.StringVar(&c.schema, "schema", cmp.Or(c.host.Config.Schema, "bucketgen"), "`SCHEMA` of the tables")
	flags.BoolVar(&c.asJSON, "json", false, "print JSON: an object, or one per line of a list")
	flags.StringVar(&c.secretFile, "secret-file", "", "`FILE` with the secret that ids of erased persons are hashed under (default $BUCKETGEN_SUPPRESSION_SECRET)")
	c.logFlags(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return c.logger(cmd) }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"run", "Running", []*cobra.Command{c.devCommand(), c.serveCommand(), c.migrateCommand(), c.doctorCommand(), c.versionCommand()}},
		{"connect", "Keys and webhooks", []*cobra.Command{c.keysCommand(), c.webhooksCommand()}},
		{"ask", "Reading", []*cobra.Command{
			c.membersCommand(), c.countCommand(), c.catalogCommand(), c.explainCommand(), c.historyCommand(), c.backTestCommand(), c.simulateCommand(),
		}},
		{"change", "Changing definitions", []*cobra.Command{
			c.planCommand(), c.previewCommand(), audited(c.deployCommand()), c.backfillCommand(), c.deploymentsCommand(),
			audited(c.pauseCommand()), audited(c.resumeCommand()), audited(c.retireCommand()), audited(c.reconcileCommand()),
		}},
		{"data", "Importing and exporting", []*cobra.Command{
			c.addCommand(), c.removeCommand(), c.importCommand(), c.exportCommand(), c.replayCommand(),
		}},
		{"people", "People", []*cobra.Command{c.identitiesCommand(), c.mergeCommand(), nameless(c.eraseCommand()), c.erasuresCommand(), c.suppressionsCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title + ":"})
		for _, command := range g.commands {
			command.GroupID = g.id
		}
		root.AddCommand(g.commands...)
	}
	return root
}

// takes lets a command take n arguments.
func takes(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%s takes %s, got %s; see %s --help", cmd.Name(), what, count(int64(len(args)), "argument"), cmd.CommandPath())
		}
		return nil
	}
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
