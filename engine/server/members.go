package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

func (c *cli) membersCommand() *cobra.Command {
	var asOf string
	var limit int
	cmd := &cobra.Command{
		Use:   "members BUCKET",
		Short: "List the members of a bucket, now or at a time",
		Long: `Lists the current members of a bucket, in the order in which the users were created. --as-of lists
the members at a time, with what is known about their stays today.`,
		Example: "  " + c.host.Name + " members power-users\n" +
			"  " + c.host.Name + " members power-users --as-of 2026-03-01T00:00:00Z\n" +
			"  " + c.host.Name + " members power-users --json --limit 10",
		Args:              takes(1, "one BUCKET"),
		ValidArgsFunction: c.completeBuckets(1, anyBucket),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := c.bucket(args[0])
			if err != nil {
				return err
			}
			if limit < 0 {
				return fmt.Errorf("--limit is %d; it must be positive, or 0 for all", limit)
			}
			at, err := instant("--as-of", asOf)
			if err != nil {
				return err
			}
			list := printTable
			if c.asJSON {
				list = printJSON
			}
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				all := e.Members(cmd.Context(), ref)
				if !at.IsZero() {
					all = e.MembersAt(cmd.Context(), ref, at)
				}
				return list(cmd.OutOrStdout(), all, limit)
			})
		},
	}
	cmd.Flags().StringVar(&asOf, "as-of", "", "list the members at this `TIME` (default now)")
	cmd.Flags().IntVar(&limit, "limit", 0, "list at most `N` members; 0 for all")
	return cmd
}

// bucket finds the bucket with an id, or says which there are.
func (c *cli) bucket(id string) (registry.Ref, error) {
	ref, known := c.host.Registry.Ref(id)
	if known {
		return ref, nil
	}
	return ref, fmt.Errorf("there is no bucket %q; there are %s", id, strings.Join(c.ids(anyBucket), ", "))
}

// instant reads the time that a flag has, if it has one.
func instant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fmt.Errorf("%s %q is not a time; write it like 2026-12-01T00:00:00Z", flag, text)
	}
	if t.IsZero() { // which stands for a flag that is not given
		return t, fmt.Errorf("%s %q is the zero time; omit the flag for the default", flag, text)
	}
	return t, nil
}

func printTable(out io.Writer, all iter.Seq2[engine.Member, error], limit int) error {
	t := newTable(out, "USER", "EMAIL", "ENTERED", "ENTRY COUNT", "SOURCE")
	err := members(all, limit, func(m engine.Member) error {
		t.row(textOf(m.Who()), m.UserEmail, m.EnteredAt.Format(time.RFC3339Nano), m.EntryCount, joinText(m))
		return t.err
	})
	return errors.Join(err, t.end())
}

// joinText says what made a member join, and by which id they went then if that is another now.
func joinText(m engine.Member) string {
	if m.EnteredAs == nil {
		return string(m.Source)
	}
	return string(m.Source) + ", as " + textOf(*m.EnteredAs)
}

func printJSON(out io.Writer, all iter.Seq2[engine.Member, error], limit int) error {
	w := json.NewEncoder(out)
	return members(all, limit, func(m engine.Member) error { return w.Encode(m) })
}

func members(all iter.Seq2[engine.Member, error], limit int, visit func(engine.Member) error) error {
	n := 0
	for m, err := range all {
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
