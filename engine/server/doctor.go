package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/manage"
	"github.com/bucketgen/bucketgen/internal/printable"
)

// The states of a finding.
const (
	stateOK      = "ok"
	stateWarning = "warning" // it works, and needs attention
	stateFailed  = "failed"
	stateSkipped = "skipped" // not checked, because a check it depends on failed
)

// finding is the result of one check.
type finding struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Says  string `json:"says"`
	Fix   string `json:"fix,omitempty"` // how to solve the problem
}

func fine(format string, args ...any) finding {
	return finding{State: stateOK, Says: fmt.Sprintf(format, args...)}
}

func warning(fix, format string, args ...any) finding {
	return finding{State: stateWarning, Says: fmt.Sprintf(format, args...), Fix: fix}
}

func failed(fix, format string, args ...any) finding {
	return finding{State: stateFailed, Says: fmt.Sprintf(format, args...), Fix: fix}
}

func (c *cli) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check the installation and suggest fixes",
		Long: `Checks the database with its version, durability and clock, the tables, the privileges of the role,
the deployed definitions against those of this program, received names and types against the
declared ones, running processes, the engine's clock, the outbox, the ids of users, and the services
of the host, such as Hatchet. Suggests a fix for each problem. It changes nothing.

The exit code is 0 if every check passes, 1 if there is a warning, and 2 if a check fails.`,
		Example: "  " + c.host.Name + " doctor\n  " + c.host.Name + " doctor --json | jq 'select(.state != \"ok\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := c.examine(cmd.Context(), cmd.ErrOrStderr())
			if err := printList(c, cmd, all, func(out io.Writer) error { return printFindings(out, all) }); err != nil {
				return err
			}
			return worst(all)
		},
	}
}

func printFindings(out io.Writer, all []finding) error {
	for _, f := range all {
		mark := map[string]string{stateOK: "ok    ", stateWarning: "warn  ", stateFailed: "FAILED", stateSkipped: "-     "}[f.State]
		// What a finding says may have lines. Those after the first are indented, so that none can
		// be taken for a finding.
		if _, err := io.WriteString(out, fmt.Sprintf("%s  %-12s %s\n", mark, f.Name, strings.ReplaceAll(f.Says, "\n", "\n        "))); err != nil {
			return err
		}
		if f.Fix != "" {
			if err := printable.Fprintf(out, "        %-12s -> %s\n", "", f.Fix); err != nil {
				return err
			}
		}
	}
	return nil
}

// errUnwell says that the doctor found something, which is the exit code's business.
var errUnwell = errors.New("a check failed")

func worst(all []finding) error {
	var err error
	for _, f := range all {
		switch f.State {
		case stateFailed:
			return fmt.Errorf("%s: %w", f.Name, errUnwell)
		case stateWarning:
			err = errChanges
		}
	}
	return err
}

// check is one check of the doctor. Checks that depend on it are skipped if it failed.
type check struct {
	name string
	do   func(ctx context.Context) finding
}

// examine runs the checks one after the other, as far as it gets.
func (c *cli) examine(ctx context.Context, log io.Writer) []finding {
	x := &examination{cli: c}
	defer x.close()
	return run(ctx, []string{"database", "tables", "writes"}, []check{
		{"database", func(ctx context.Context) finding { return x.connect(ctx, log) }},
		{"durability", x.durability},
		{"clocks", x.clocks},
		{"tables", x.tables},
		{"writes", x.writes},
		{"deployment", x.deployment},
		{"catalog", x.catalog},
		{"processes", x.processes},
		{"clock", x.clock},
		{"outbox", x.outbox},
		{"webhooks", x.webhooks},
		{"ids", x.ids},
		{"merges", x.merges},
		{"shared", x.shared},
		{"services", x.services},
	})
}

// run runs checks one after the other. Once one fails of those that the rest depends on, the rest
// is skipped.
func run(ctx context.Context, needed []string, checks []check) []finding {
	all := make([]finding, 0, len(checks))
	broken := ""
	for _, l := range checks {
		f := finding{State: stateSkipped, Says: "not checked, because the check of the " + broken + " failed"}
		if broken == "" {
			f = l.do(ctx)
		}
		f.Name = l.name
		if f.State == stateFailed && slices.Contains(needed, l.name) {
			broken = l.name
		}
		all = append(all, f)
	}
	return all
}

// examineRunning returns a function that runs the checks that a running engine can answer.
func (c *cli) examineRunning(pool *pgxpool.Pool, e *engine.Engine) func(context.Context) []manage.Finding {
	return func(ctx context.Context) []manage.Finding {
		x := &examination{cli: c, database: &database{pool: pool}, engine: e}
		found := run(ctx, []string{"database", "tables"}, []check{
			{"database", x.reached},
			{"durability", x.durability},
			{"clocks", x.clocks},
			{"tables", x.tables},
			{"writes", x.accepted},
			{"deployment", x.deployment},
			{"catalog", x.catalog},
			{"processes", x.processes},
			{"clock", x.clock},
			{"outbox", x.outbox},
			{"webhooks", x.webhooks},
			{"ids", x.ids},
			{"merges", x.merges},
			{"shared", x.shared},
			{"services", x.background},
		})
		all := make([]manage.Finding, len(found))
		for i, f := range found {
			all[i] = manage.Finding(f)
		}
		return all
	}
}

// examination is one run of the doctor.
type examination struct {
	*cli
	database *database
	engine   *engine.Engine
	server   *serverFacts           // server is nil until it was asked
	names    *db.IdentitiesFactsRow // names is nil until ids were read
}

func (x *examination) close() {
	if x.engine != nil {
		_ = finish(x.engine) // it has done nothing
	}
	if x.database != nil {
		_ = x.database.close()
	}
}

// late is how long something may be overdue before it is a warning.
const late = time.Minute
