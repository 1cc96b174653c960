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
		Long: `Changes the members of a manual bucket, one without criteria. The column userId names the users;
other columns are ignored.

  --mode add       the users in the file join the bucket
  --mode remove    the users in the file leave it
  --mode replace   the users in the file join it, and all other members leave it; no member leaves
                   if a line was refused or if the file names no user

` + importErrors,
		Example:           "  " + c.host.Name + " import members beta-testers testers.csv --mode replace",
		Args:              takes(2, "a BUCKET and a FILE, or - for standard input"),
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
				return c.withRunningEngine(cmd, "", func(e *engine.Engine) error { return in.members(e, ref, flags.mode) })
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.mode, "mode", "add", "how to change the members: add, replace or remove")
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
		if err == nil && mode == "replace" { // members are listed by their canonical ids
			user, err = e.Users().CanonicalID(in.cmd.Context(), user)
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
		printable.Fprintf(in.cmd.ErrOrStderr(), "no member was removed, because lines were refused\n")
		return nil
	case len(named) == 0:
		return errors.New("the file names no user, so no member was removed; to empty a bucket, use --mode remove")
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
		return &engine.InvalidError{Field: "user_id", Problem: "names a deleted user"}
	}
	if err != nil {
		return err
	}
	in.done.Taken++
	in.count(transitions)
	in.shown.events(in.done.Taken)
	return nil
}
