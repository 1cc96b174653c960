package words

import "github.com/bucketgen/bucketgen/registry/table"

// Policy describes, a sentence each, everything else that changes members and announcements of a
// bucket.
func Policy(r *table.Registry, b table.BucketIndex) []string {
	row := &r.Buckets[b]
	var all []string
	add := func(given bool, sentence string) {
		if given {
			all = append(all, sentence)
		}
	}
	add(row.Disabled, "paused by its definition: memberships are frozen")
	add(row.Kind == table.Manual, "manual: users are added and removed by API calls")
	add(row.Anonymous, "anonymous contacts may be members")
	switch row.EntryLimit {
	case table.Once:
		all = append(all, "only the first join of a user is announced")
	case table.OncePerPeriod:
		all = append(all, "a join is announced if it is the user's first or "+Duration(row.EntryPeriod)+" have passed since they left")
	default:
		all = append(all, "every join is announced")
	}
	add(row.MinDwell > 0, "members stay for at least "+Duration(row.MinDwell))
	add(row.MaxDwell > 0, "members leave after "+Duration(row.MaxDwell)+" at the latest")
	add(row.NoClockJoins, "users do not join by the passing of time alone")
	for _, t := range row.Ticks {
		add(t.Every, "ticks every "+Duration(t.Span)+" of a stay")
		add(!t.Every, "ticks once, "+Duration(t.Span)+" into a stay")
	}
	return all
}
