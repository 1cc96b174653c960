package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

// The states that something can be in.
const (
	stateOK      = "ok"
	stateWarning = "warning" // it works, and somebody should look at it
	stateFailed  = "failed"
	stateSkipped = "skipped" // it could not be looked at, because of what failed
)

// finding is what the doctor found out about something.
type finding struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Says  string `json:"says"`
	Mend  string `json:"mend,omitempty"` // what to do about it
}

func fine(format string, args ...any) finding {
	return finding{State: stateOK, Says: fmt.Sprintf(format, args...)}
}

func warning(mend, format string, args ...any) finding {
	return finding{State: stateWarning, Says: fmt.Sprintf(format, args...), Mend: mend}
}

func failed(mend, format string, args ...any) finding {
	return finding{State: stateFailed, Says: fmt.Sprintf(format, args...), Mend: mend}
}

func (c *cli) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look whether all is well, and say how to mend what is not",
		Long: `Looks at the database, its version, durability and clock, at the tables, at what is deployed and
what this program has, at names and types that arrive otherwise than they are declared, at the processes that run, at the clock and the outbox, and at the services of
the host, such as Hatchet. Of everything that is not as it should be it says how to mend it. It changes
nothing.

The exit code is 0 if all is well, 1 if somebody should look at something, and 2 if something does not
work.`,
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
		mark := map[string]string{stateOK: "ok    ", stateWarning: "look  ", stateFailed: "FAILED", stateSkipped: "-     "}[f.State]
		// What a finding says may have lines. Those after the first are indented, so that none can be taken for a finding.
		if _, err := io.WriteString(out, fmt.Sprintf("%s  %-12s %s\n", mark, f.Name, strings.ReplaceAll(f.Says, "\n", "\n        "))); err != nil {
			return err
		}
		if f.Mend != "" {
			if err := printable.Fprintf(out, "        %-12s -> %s\n", "", f.Mend); err != nil {
				return err
			}
		}
	}
	return nil
}

// errUnwell says that the doctor found something, which is the exit code's business.
var errUnwell = errors.New("something is not as it should be")

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

// look is one thing that the doctor looks at. Findings of what depends on it are skipped if it failed.
type look struct {
	name string
	do   func(ctx context.Context) finding
}

// examine looks at everything, one after the other, as far as it gets.
func (c *cli) examine(ctx context.Context, log io.Writer) []finding {
	x := &examination{cli: c}
	defer x.close()
	looks := []look{
		{"database", func(ctx context.Context) finding { return x.connect(ctx, log) }},
		{"durability", x.durability},
		{"clocks", x.clocks},
		{"tables", x.tables},
		{"deployment", x.deployment},
		{"catalog", x.catalog},
		{"processes", x.processes},
		{"clock", x.clock},
		{"outbox", x.outbox},
		{"webhooks", x.webhooks},
		{"services", x.services},
	}
	all := make([]finding, 0, len(looks))
	broken := ""
	for _, l := range looks {
		f := finding{State: stateSkipped, Says: "not looked at, because of the " + broken}
		if broken == "" {
			f = l.do(ctx)
		}
		f.Name = l.name
		if f.State == stateFailed && (l.name == "database" || l.name == "tables") {
			broken = l.name
		}
		all = append(all, f)
	}
	return all
}

// examination is one run of the doctor.
type examination struct {
	*cli
	database *database
	engine   *engine.Engine
}

func (x *examination) close() {
	if x.engine != nil {
		_ = finish(x.engine) // it has done nothing
	}
	if x.database != nil {
		_ = x.database.close()
	}
}

// late is how long something may be overdue before somebody should look at it.
const late = time.Minute
