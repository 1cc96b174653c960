package engine

import (
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// words says what a bucket is, as people read it: its criteria, then its policy.
func (e *Engine) words(b table.BucketIndex) []string {
	lines := []string{}
	for _, line := range words.Criteria(e.registry, b) {
		lines = append(lines, line.String())
	}
	return append(lines, words.Policy(e.registry, b)...)
}
