package registry

// Traced is what came of one node of a criteria: its verdict, and what that rests on.
type Traced struct {
	Verdict
	Evidence Evidence
}

// Trace answers every node of the criteria of a dynamic bucket at f.Now, by its place. The first is what [Registry.Evaluate]
// answers. What is asked about the field of a single occurrence belongs to the node that is about the occurrence.
//
// It evaluates every subtree for itself, which is nothing for where it matters how long that takes.
func (r *Registry) Trace(b Index, f *Facts) []Traced {
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
