package table

// Postings are the buckets that refer to one event, or to one property.
//
// A criteria like All(Plan.Is("pro"), ...) cannot hold while the plan is another: Plan is the guard of that bucket, and
// unless the user is in it, nothing that happens matters to it. So buckets with a guard are filed under the value that
// opens them, and are found only where the user has it.
type Postings struct {
	Always  []BucketIndex
	Guarded []Guarded
}

// Guarded are the buckets whose guard is a certain property, by the value that opens them.
type Guarded struct {
	Property PropertyIndex
	Values   []Posting // sorted by value
}

// Posting is the buckets that one value opens.
type Posting struct {
	Value   Value
	Buckets []BucketIndex
}

// Change is what an ingest brings of a user that criteria could ask about.
type Change struct {
	Event      EventIndex      // or NoEvent
	Properties []PropertyIndex // whose values change
	Repeated   []PropertyIndex // whose values are what they were: they open nothing, but to buckets that no clock lets the user join
	Newcomer   bool            // the user is new, or is looked at anew
}

// Candidates appends the buckets whose membership may change by what an ingest carries, sorted and without repetition. The
// facts must include what is carried, and be of this registry; standing are the buckets in which the user is, or is kept
// from. Those are candidates when something is carried that closes their guard, which is what makes users leave. Others are
// none while the properties of the user close them.
func (r *Registry) Candidates(dst []BucketIndex, c Change, f *Facts, standing []BucketIndex) []BucketIndex {
	x, s := r.flat(), newCandidateSet(len(r.Buckets), len(r.Properties))
	s.query.begin(r, c)
	for _, b := range standing {
		s.memberOf[uint32(b)>>6] |= 1 << (b & 63)
		s.add(b, s.query.changes(x.closers[b])) // where the guard is open it is found anyway, where it was closed before nothing matters
	}
	if c.Newcomer {
		for _, b := range r.Newcomers {
			s.add(b, 1)
		}
	}
	x.find(s, f)
	dst = s.drain(dst, x, f.codes)
	for _, b := range standing {
		s.memberOf[uint32(b)>>6] = 0
	}
	s.query.end(c)
	candidateSets.Put(s)
	return dst
}
