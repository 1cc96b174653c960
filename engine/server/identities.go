package server

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
)

func (c *cli) identitiesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "identities", Short: "List the ids of users, and change where an id leads",
		Long: `Lists the ids that lead to a user: user ids, anonymous ids of devices, e-mail addresses and other
kinds that the program declares. Takes an id away from a user, or makes it one of theirs.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(c.identitiesListCommand(), nameless(c.identitiesUnlinkCommand()), nameless(c.identitiesAliasCommand()))
	return cmd
}

func (c *cli) identitiesListCommand() *cobra.Command {
	kind := ""
	cmd := &cobra.Command{
		Use: "list ID", Short: "List the ids of a user",
		Long: `Lists the ids that lead to the user whom an id names, up to 1,000: first the one by which the user
goes, then the others, the oldest first. A shared id was used by several users, and leads to none.`,
		Example: "  " + c.host.Name + " identities list ada\n  " + c.host.Name + " identities list --kind email ada@example.com",
		Args:    takes(1, "one ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				all, err := e.People().IDs(cmd.Context(), engine.By(kind, args[0]))
				if err != nil {
					return err
				}
				return printList(c, cmd, all, func(out io.Writer) error { return printIDs(out, all) })
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", engine.KindUser, "`KIND` of the id")
	return cmd
}

func printIDs(out io.Writer, all []engine.ID) error {
	t := newTable(out, "KIND", "ID", "ADDED", "")
	for _, id := range all {
		added, note := "", ""
		if !id.AddedAt.IsZero() {
			added = id.AddedAt.Format(time.RFC3339)
		}
		switch {
		case id.Primary:
			note = "the user goes by it"
		case id.Shared:
			note = "shared"
		}
		t.row(id.Kind, id.Value, added, note)
	}
	return t.end()
}

func (c *cli) identitiesUnlinkCommand() *cobra.Command {
	kind := ""
	cmd := &cobra.Command{
		Use: "unlink ID", Short: "Take an id away from its user",
		Long: `Takes an id away from its user. What comes by it from now on is that of a contact by itself, which
never merges with a user by the ids of events. What was done by it stays the user's. A user id stays
that of its user.`,
		Example: "  " + c.host.Name + " identities unlink --kind anonymous 7f3a-laptop",
		Args:    takes(1, "one ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				if err := e.People().Unlink(cmd.Context(), kind, args[0]); err != nil {
					return err
				}
				return printable.Fprintf(cmd.OutOrStdout(), "%s %s leads to no user any more\n", kind, args[0])
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", engine.KindAnonymous, "`KIND` of the id")
	return cmd
}

func (c *cli) identitiesAliasCommand() *cobra.Command {
	o := engine.AliasOptions{Trusted: true}
	cmd := &cobra.Command{
		Use: "alias PREVIOUS ID", Short: "Make an id one more id of a user",
		Long: `Says that the user ID was known by the id PREVIOUS before. If PREVIOUS is the anonymous id of a
visitor, what the visitor did is the user's from now on. If it is that of another user, both become
one, as by merge, which cannot be undone. If it is new, it becomes a further user id. An anonymous
id that users share, or that was unlinked, takes --force: what came by it since is the user's then.`,
		Example: "  " + c.host.Name + " identities alias 7f3a-laptop ada\n  " + c.host.Name + " identities alias 7f3a-laptop ada --force",
		Args:    takes(2, "PREVIOUS and ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				if err := e.Users().Alias(cmd.Context(), args[0], args[1], o); err != nil {
					return err
				}
				return printable.Fprintf(cmd.OutOrStdout(), "%s leads to %s\n", args[0], args[1])
			})
		},
	}
	cmd.Flags().BoolVar(&o.Force, "force", false, "also give an id that users share to the user")
	return cmd
}
