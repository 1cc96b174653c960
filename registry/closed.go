package registry

// Closed reports whether the properties of the user alone keep the criteria of a dynamic bucket from holding, now and
// until they change. Then nothing else needs to be known.
func (r *Registry) Closed(b Index, f *Facts) bool {
	return r.flat().properties(b, &r.Buckets[b], f) == closed
}

// closed is the verdict of what does not hold, and will not as time passes. It is that of whatever needs it to hold, too.
var closed = Verdict{false, Never}
