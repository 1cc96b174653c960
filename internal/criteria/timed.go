// Package criteria describes the criteria of buckets for programs: as trees whose nodes name what
// they ask about, and what can change their result.
package criteria

import "github.com/bucketgen/bucketgen/registry/table"

// Timed reports whether the passing of time alone can change the members of a bucket.
func Timed(r *table.Registry, b table.BucketIndex) bool {
	row := &r.Buckets[b]
	if row.MaxDwell > 0 || row.MinDwell > 0 {
		return true
	}
	for i := range row.Criteria {
		n := &row.Criteria[i]
		if timed(n) || n.Op == table.OpInBucket && Timed(r, n.Bucket) {
			return true
		}
	}
	return false
}

// timed reports whether the passing of time alone can change the result of a condition, apart from
// the buckets that it asks about.
func timed(n *table.Node) bool {
	switch n.Op {
	case table.OpSince, table.OpUntil, table.OpInTheLast, table.OpMoreThanAgo, table.OpInTheNext, table.OpToday, table.OpThisWeek,
		table.OpThisMonth, table.OpHasBeen, table.OpChanged:
		return true
	case table.OpUnanswered: // an answer may come for as long as the last step is open
		return true
	default:
		return (n.Op.IsSignal() || n.Op.IsSequence()) && n.Op != table.OpFirst && n.Op != table.OpLast && n.Window != table.Ever
	}
}
