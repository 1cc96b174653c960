package plan

import "github.com/bucketgen/bucketgen/registry/table"

// levels finds the references between buckets, and gives each bucket a level above those that it
// asks about. The check has excluded circles.
func levels(r *table.Registry) {
	asked := make([][]table.BucketIndex, len(r.Buckets))
	for i := range r.Buckets {
		for _, n := range r.Buckets[i].Criteria {
			if n.Op == table.OpInBucket {
				asked[i] = append(asked[i], n.Bucket)
			}
		}
		asked[i] = distinct(asked[i])
		for _, b := range asked[i] {
			r.Buckets[b].Dependents = append(r.Buckets[b].Dependents, table.BucketIndex(i))
		}
	}
	known := make([]bool, len(r.Buckets))
	var level func(table.BucketIndex) int
	level = func(b table.BucketIndex) int {
		row := &r.Buckets[b]
		if known[b] {
			return row.Level
		}
		for _, other := range asked[b] {
			row.Level = max(row.Level, level(other)+1)
		}
		known[b] = true
		return row.Level
	}
	for i := range r.Buckets {
		level(table.BucketIndex(i))
	}
}
