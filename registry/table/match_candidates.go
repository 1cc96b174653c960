package table

// Postings are the buckets that refer to one event, or to one property.
//
// A criteria like All(Plan.Is("pro"), ...) cannot hold while the plan is another: Plan is the guard
// of that bucket. Unless the user is a member, no event matters to the bucket then. So a bucket
// with a guard is filed under the values that open it, and is found only for users with such a
// value.
type Postings struct {
	Always  []BucketIndex
	Guarded []Guarded
}

// Guarded are the buckets with one property as their guard, by the value that opens them.
type Guarded struct {
	Property PropertyIndex
	Values   []Posting // sorted by value
}

// Posting is the buckets that one value opens.
type Posting struct {
	Value   Value
	Buckets []BucketIndex
}

// Change is the part of an ingest that criteria can ask about. A repeated property concerns only
// the buckets that users cannot join by the clock.
type Change struct {
	Event      EventIndex      // or NoEvent
	Properties []PropertyIndex // whose values change
	Repeated   []PropertyIndex // whose values stay the same
	Newcomer   bool            // the user is new, or is evaluated anew
}

// Candidates appends the buckets whose membership a change may change, sorted and without
// repetition. The facts must include the change and be of this registry. memberOf holds the buckets
// that the user is in or is blocked from. Such a bucket is a candidate if the change may close its
// guard, because the user then leaves. Another bucket is no candidate while the user's properties
// close it.
func (r *Registry) Candidates(dst []BucketIndex, c Change, f *Facts, memberOf []BucketIndex) []BucketIndex {
	x, s := r.flat(), newCandidateSet(len(r.Buckets), len(r.Properties))
	s.query.begin(r, c)
	for _, b := range memberOf {
		s.memberOf[uint32(b)>>6] |= 1 << (b & 63)
		// An open guard is found below, one that was closed before changes nothing.
		s.add(b, s.query.changes(x.closers[b]))
	}
	if c.Newcomer {
		for _, b := range r.Newcomers {
			s.add(b, 1)
		}
	}
	x.find(s, f)
	dst = s.drain(dst, x, f.codes)
	for _, b := range memberOf {
		s.memberOf[uint32(b)>>6] = 0
	}
	s.query.end(c)
	candidateSets.Put(s)
	return dst
}
