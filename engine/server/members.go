package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

func (c *cli) membersCommand() *cobra.Command {
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "members BUCKET",
		Short: "List the users in a bucket",
		Example: "  " + c.host.Name + " members power-users\n" +
			"  " + c.host.Name + " members power-users --json --limit 10",
		Args: takes(1, "one BUCKET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.bucket(args[0])
			if err != nil {
				return err
			}
			if limit < 0 {
				return fmt.Errorf("--limit is %d; it must be positive, or 0 for all", limit)
			}
			list := printTable
			if asJSON {
				list = printJSON
			}
			return c.ask(cmd, "", func(e *engine.Engine) error { return list(cmd, e, ref, limit) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "list at most `N`, 0 for all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON object per line")
	return cmd
}

// bucket finds the bucket with an id, or says which there are.
func (c *cli) bucket(id string) (registry.Ref, error) {
	ref, known := c.host.Registry.Ref(id)
	if known {
		return ref, nil
	}
	ids := make([]string, len(c.host.Registry.Buckets))
	for i := range ids {
		ids[i] = c.host.Registry.Buckets[i].ID
	}
	return ref, fmt.Errorf("there is no bucket %q; there are %s", id, strings.Join(ids, ", "))
}

func printTable(cmd *cobra.Command, e *engine.Engine, ref registry.Ref, limit int) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "USER\tEMAIL\tENTERED\tENTRY\tSOURCE")
	err := members(cmd, e, ref, limit, func(m engine.Member) error {
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", m.UserID, m.UserEmail, m.EnteredAt.Format(time.RFC3339Nano), m.EntryCount, m.Source)
		return err
	})
	return errors.Join(err, w.Flush())
}

func printJSON(cmd *cobra.Command, e *engine.Engine, ref registry.Ref, limit int) error {
	out := json.NewEncoder(cmd.OutOrStdout())
	return members(cmd, e, ref, limit, func(m engine.Member) error { return out.Encode(m) })
}

func members(cmd *cobra.Command, e *engine.Engine, ref registry.Ref, limit int, visit func(engine.Member) error) error {
	n := 0
	for m, err := range e.Members(cmd.Context(), ref) {
		if err != nil {
			return err
		}
		if n++; limit > 0 && n > limit {
			return nil
		}
		if err := visit(m); err != nil {
			return err
		}
	}
	return nil
}
