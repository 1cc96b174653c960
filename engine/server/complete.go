package server

import (
	"github.com/spf13/cobra"

	"github.com/bucketgen/bucketgen/registry"
)

func anyBucket(*registry.Bucket) bool { return true }

func manualBucket(b *registry.Bucket) bool { return b.Kind == registry.Manual }

// ids returns the ids of some buckets.
func (c *cli) ids(which func(*registry.Bucket) bool) []string {
	var all []string
	for i := range c.host.Registry.Buckets {
		if b := &c.host.Registry.Buckets[i]; which(b) {
			all = append(all, b.ID)
		}
	}
	return all
}

// completeBuckets lets the shell complete so many first arguments by the ids of buckets; -1 is all.
func (c *cli) completeBuckets(first int, which func(*registry.Bucket) bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if first >= 0 && len(args) >= first {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var all []cobra.Completion
		for i := range c.host.Registry.Buckets {
			if b := &c.host.Registry.Buckets[i]; which(b) {
				all = append(all, cobra.CompletionWithDesc(b.ID, b.Name))
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}
