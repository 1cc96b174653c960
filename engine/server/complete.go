package server

import (
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/registry/table"
)

func anyBucket(*table.Bucket) bool { return true }

func manualBucket(b *table.Bucket) bool { return b.Kind == table.Manual }

// ids returns the ids of some buckets.
func (c *cli) ids(which func(*table.Bucket) bool) []string {
	var all []string
	for i := range c.host.Registry.Tables().Buckets {
		if b := &c.host.Registry.Tables().Buckets[i]; which(b) {
			all = append(all, b.ID)
		}
	}
	return all
}

// completeBuckets completes the first arguments by ids of buckets: as many as first says, or all
// for -1.
func (c *cli) completeBuckets(first int, which func(*table.Bucket) bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if first >= 0 && len(args) >= first {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var all []cobra.Completion
		for i := range c.host.Registry.Tables().Buckets {
			if b := &c.host.Registry.Tables().Buckets[i]; which(b) {
				all = append(all, cobra.CompletionWithDesc(b.ID, b.Name))
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}
