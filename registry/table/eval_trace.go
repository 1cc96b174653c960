package table

// Traced is the result of one node of a criteria: its verdict and its evidence.
type Traced struct {
	Verdict
	Evidence Evidence
}

// Trace evaluates every node of the criteria of a dynamic bucket at an instant, in the order of the
// nodes. The first result is the verdict of [Registry.Evaluate]. Conditions on the field of a
// single occurrence belong to the node that is about the occurrence.
//
// Trace evaluates every subtree by itself, which is too slow for ingest.
func (r *Registry) Trace(b BucketIndex, f *Facts, now Instant) []Traced {
	f.now = now
	nodes := r.Buckets[b].Criteria
	all := make([]Traced, len(nodes))
	for i := 0; i < len(nodes); i++ {
		n := &nodes[i]
		all[i] = Traced{f.evaluate(nodes[i:]), f.evidence(n)}
		if n.Op == OpFirst || n.Op == OpLast {
			i += n.Size - 1
		}
	}
	return all
}
