package server

import (
	"errors"
	"io"
	"iter"
	"os"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/sheet"
)

func (c *cli) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Export members as CSV, or everything about a person",
		Long:  `Exports data for other programs to read.`,
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(c.exportMembersCommand(), c.exportUserCommand())
	return cmd
}

func (c *cli) exportMembersCommand() *cobra.Command {
	var asOf, name string
	cmd := &cobra.Command{
		Use:   "members BUCKET",
		Short: "Export the members of a bucket as CSV",
		Long: `Exports the current members of a bucket, or its members at a time, as CSV:

  userId,email,enteredAt,leftAt,entryCount,membershipId,source,idKind,id,enteredAsKind,enteredAsId

A cell that begins with =, +, -, @ or a blank gets an apostrophe in front, so that a spreadsheet does
not run it as a formula. import members removes the apostrophe. --json writes one object a line
instead, with ids unchanged.`,
		Example: "  " + c.host.Name + " export members power-users --output members.csv\n" +
			"  " + c.host.Name + " export members power-users --as-of 2026-03-01T00:00:00Z | gzip > members.csv.gz",
		Args:              takes(1, "one BUCKET"),
		ValidArgsFunction: c.completeBuckets(1, anyBucket),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ref, err := c.bucket(args[0])
			if err != nil {
				return err
			}
			at, err := instant("--as-of", asOf)
			if err != nil {
				return err
			}
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				all := e.Members(cmd.Context(), ref)
				if !at.IsZero() {
					all = e.MembersAt(cmd.Context(), ref, at)
				}
				if name == "" {
					return c.export(cmd.OutOrStdout(), all, func(int64) {})
				}
				total, err := e.Count(cmd.Context(), ref)
				if err != nil {
					return err
				}
				file, err := os.Create(name)
				if err != nil {
					return err
				}
				shown := newUserProgress(cmd.ErrOrStderr(), "export")
				defer shown.end()
				return errors.Join(c.export(file, all, func(n int64) { shown.users(n, max(n, total)) }), file.Close())
			})
		},
	}
	cmd.Flags().StringVar(&asOf, "as-of", "", "export the members at this `TIME` (default now)")
	cmd.Flags().StringVar(&name, "output", "", "write to this `FILE` (default standard output)")
	return cmd
}

// export writes members, and says how many it has written.
func (c *cli) export(out io.Writer, all iter.Seq2[engine.Member, error], written func(int64)) error {
	if c.asJSON {
		return printJSON(out, all, 0)
	}
	w := sheet.NewWriter(dataOf(out))
	if err := w.Write(sheet.MemberColumns...); err != nil {
		return err
	}
	n := int64(0)
	for m, err := range all {
		if err != nil {
			return err
		}
		if err := w.WriteMember(&m); err != nil {
			return err
		}
		n++
		written(n)
	}
	return w.Flush()
}
