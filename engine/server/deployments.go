package server

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
)

func (c *cli) deploymentsCommand() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "deployments",
		Short: "List what was deployed, how far users have followed, and who is running what",
		Long: `Lists the last deployments, pauses and resumptions with how far users have followed each,
and the processes that run on the database with the definitions that they have.`,
		Example: "  " + c.host.Name + " deployments --limit 3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 1 {
				return fmt.Errorf("--limit is %d; it must be positive", most)
			}
			return c.look(cmd, "", func(e *engine.Engine) error {
				all, err := e.Deployments(cmd.Context(), most)
				if err != nil {
					return err
				}
				processes, err := e.Processes(cmd.Context())
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

func printDeployments(out io.Writer, all []engine.Deployment, processes []engine.Process) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NO\tKIND\tAT\tDEFINITIONS\tEMIT\tUSERS\tFOLLOWED\tJOINED\tLEFT\tFINISHED")
	for _, d := range all {
		finished := "not yet"
		if d.Finished() {
			finished = d.FinishedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n",
			d.No, d.Kind, d.At.Format(time.RFC3339), d.Fingerprint, d.Emit, d.Users, d.Followed, d.Joined, d.Left, finished)
	}
	if len(processes) > 0 {
		fmt.Fprintln(w, "\nHOST\tPID\tDEFINITIONS\tDEPLOYED\tSINCE")
	}
	for _, p := range processes {
		fmt.Fprintf(w, "%s\t%d\t%s\t%t\t%s\n", p.Host, p.PID, p.Fingerprint, p.Deployed, p.StartedAt.Format(time.RFC3339))
	}
	return w.Flush()
}
