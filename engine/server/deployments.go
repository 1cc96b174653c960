package server

import (
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

func (c *cli) deploymentsCommand() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "deployments",
		Short: "List deployments, the progress of their backfills, and running processes",
		Long: `Lists the last deployments, pauses and resumptions with the progress of their backfills, and the
processes that run on the database with the fingerprints of their definitions.`,
		Example: "  " + c.host.Name + " deployments --limit 3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 1 {
				return fmt.Errorf("--limit is %d; it must be positive", most)
			}
			return c.withEngine(cmd, "", func(e *engine.Engine) error {
				all, err := newest(e.Deployments().List(cmd.Context()), most)
				if err != nil {
					return err
				}
				processes, err := e.Deployments().Processes(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(cmd, map[string]any{"deployments": all, "processes": processes}, func(out io.Writer) error {
					return printDeployments(out, all, processes)
				})
			})
		},
	}
	cmd.Flags().IntVar(&most, "limit", 10, "list the last `N`")
	return cmd
}

// newest returns the first items of a list.
func newest[T any](list iter.Seq2[T, error], most int) ([]T, error) {
	items := []T{}
	for item, err := range list {
		if err != nil {
			return nil, err
		}
		if items = append(items, item); len(items) == most {
			break
		}
	}
	return items, nil
}

func printDeployments(out io.Writer, all []engine.Deployment, processes []engine.Process) error {
	t := newTable(out, "NO", "KIND", "AT", "DEFINITIONS", "EMIT", "USERS", "BACKFILLED", "JOINED", "LEFT", "FINISHED")
	for _, d := range all {
		finished := "-"
		if d.Finished() {
			finished = d.FinishedAt.Format(time.RFC3339)
		}
		t.row(d.No, d.Kind, d.At.Format(time.RFC3339), d.Fingerprint, d.Emit, d.Users, d.Followed, d.Joined, d.Left, finished)
	}
	if err := t.end(); err != nil || len(processes) == 0 {
		return err
	}
	printable.Fprintf(out, "\n")
	t = newTable(out, "HOST", "PID", "DEFINITIONS", "DEPLOYED", "SINCE")
	for _, p := range processes {
		t.row(p.Host, p.PID, p.Fingerprint, p.Deployed, p.StartedAt.Format(time.RFC3339))
	}
	return t.end()
}
