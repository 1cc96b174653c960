package server

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/registry"
)

// The ways to import members.
var modes = []string{"add", "replace", "remove"}

func (c *cli) importMembersCommand() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "members BUCKET FILE|-",
		Short: "Add, replace or remove the members of a manual bucket",
		Long: `Changes who is in a manual bucket, one that has no criteria. The column userId names the users; all
others are left alone.

  --mode add       who is in the file joins the bucket
  --mode remove    who is in the file leaves it
  --mode replace   who is in the file joins it, and whoever is not leaves it; nobody leaves if a line
                   of the file was refused, or if it names nobody

` + importErrors,
		Example:           "  " + c.host.Name + " import members beta-testers testers.csv --mode replace",
		Args:              takes(2, "a BUCKET and a FILE, or - for the standard input"),
		ValidArgsFunction: c.completeBuckets(1, manualBucket),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.manual(args[0])
			switch {
			case err != nil:
				return err
			case !slices.Contains(modes, flags.mode):
				return fmt.Errorf("--mode is %q; write add, replace or remove", flags.mode)
			}
			return c.withSheet(cmd, args[1], flags, func(in *importing) error {
				return c.ask(cmd, "", func(e *engine.Engine) error { return in.members(e, ref, flags.mode) })
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.mode, "mode", "add", "what to do: add, replace or remove")
	return cmd
}

// members moves the users whom the lines name.
func (in *importing) members(e *engine.Engine, ref registry.ManualRef, mode string) error {
	m := &adding
	if mode == "remove" {
		m = &removing
	}
	named := map[string]bool{}
	for row, err := range in.sheet.Rows() {
		user := ""
		if err == nil {
			if user = row.Cell(userColumn); in.sheet.Has(idColumn) {
				user = row.Exact(userColumn)
			}
			if err = isUser(user); err == nil || mode == "remove" {
				err = in.move(e, m, ref, user)
			}
		}
		if err == nil && mode == "replace" { // members are told by the names by which they go
			user, err = e.NameOf(in.cmd.Context(), user)
		}
		if err != nil && !in.report.take(row.Line, err) {
			return err
		}
		if err == nil {
			named[user] = true
		}
	}
	switch {
	case mode != "replace":
		return nil
	case in.report.n > 0:
		printable.Fprintf(in.cmd.ErrOrStderr(), "because lines were refused, nobody was removed\n")
		return nil
	case len(named) == 0:
		return errors.New("the file names nobody, so nobody was removed; to empty a bucket, remove its members")
	}
	return in.removeOthers(e, ref, named)
}

// removeOthers lets everybody leave who was not named.
func (in *importing) removeOthers(e *engine.Engine, ref registry.ManualRef, named map[string]bool) error {
	for member, err := range e.Members(in.cmd.Context(), ref) {
		if err != nil {
			return err
		}
		if named[member.UserID] {
			continue
		}
		if err := in.move(e, &removing, ref, member.UserID); err != nil && !errors.Is(err, engine.ErrDeleted) { // meanwhile
			return err
		}
	}
	return nil
}

func (in *importing) move(e *engine.Engine, m *move, ref registry.ManualRef, user string) error {
	transitions, err := m.do(e, in.cmd.Context(), ref, user)
	if errors.Is(err, engine.ErrDeleted) {
		return &engine.InvalidError{Field: "user_id", Problem: "is that of a user who is deleted"}
	}
	if err != nil {
		return err
	}
	in.done.Taken++
	in.count(transitions)
	in.shown.events(in.done.Taken)
	return nil
}
