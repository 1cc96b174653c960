package table

// Closed reports whether the properties of the user alone keep the criteria of a dynamic
// bucket from holding, from now until they change. Then no other fact is needed.
func (r *Registry) Closed(b BucketIndex, f *Facts, now Instant) bool {
	f.now = now
	return r.flat().properties(b, &r.Buckets[b], f) == closed
}

// closed is the verdict of a condition that does not hold, and does not as time passes. A
// combination that needs the condition has the same verdict.
var closed = Verdict{false, Never}
