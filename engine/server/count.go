package server

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// counted is how many users are in a bucket.
type counted struct {
	BucketID string `json:"bucketId"`
	Members  int64  `json:"members"`
}

func (c *cli) countCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "count [BUCKET...]",
		Short: "Count the members of buckets",
		Long:  `Counts the current members of the given buckets, or of all buckets.`,
		Example: "  " + c.host.Name + " count\n" +
			"  " + c.host.Name + " count power-users --json",
		ValidArgsFunction: c.completeBuckets(-1, anyBucket),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if len(ids) == 0 {
				for i := range c.host.Registry.Tables().Buckets {
					ids = append(ids, c.host.Registry.Tables().Buckets[i].ID)
				}
			}
			refs := make([]registry.Ref, len(ids))
			for i, id := range ids {
				var err error
				if refs[i], err = c.bucket(id); err != nil {
					return err
				}
			}
			return c.withRunningEngine(cmd, "", func(e *engine.Engine) error {
				all := make([]counted, len(refs))
				for i, ref := range refs {
					n, err := e.Count(cmd.Context(), ref)
					if err != nil {
						return err
					}
					all[i] = counted{ref.ID(), n}
				}
				return printList(c, cmd, all, func(out io.Writer) error {
					t := newTable(out, "BUCKET", "MEMBERS")
					for _, one := range all {
						t.row(one.BucketID, one.Members)
					}
					return t.end()
				})
			})
		},
	}
}
