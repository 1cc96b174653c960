package table

import (
	"sort"
	"strings"
	"sync/atomic"
)

// Registry is what the engine knows of a set of buckets. It is read-only and safe for concurrent
// use. Generated code declares one; only generated code writes its fields.
type Registry struct {
	// Fingerprint identifies the generation: it differs if the fingerprint of any bucket does.
	Fingerprint string

	Buckets    []Bucket   // sorted by id
	Events     []Event    // sorted by name
	Properties []Property // sorted by name and path
	Signals    []Signal   // sorted by event and key
	Fields     []Field    // sorted by event and name
	Sequences  []Sequence // sorted by key

	ByEvent    []Postings    // by Event
	ByProperty []Postings    // by Property
	Newcomers  []BucketIndex // buckets that may hold, or get a horizon, for a user without facts

	derived atomic.Pointer[flat]
}

// With returns a registry that differs in its buckets only, and not in their criteria. Facts of one
// are facts of the other.
func (r *Registry) With(buckets []Bucket) *Registry {
	other := &Registry{
		Fingerprint: r.Fingerprint, Buckets: buckets, Events: r.Events, Properties: r.Properties, Signals: r.Signals,
		Fields: r.Fields, Sequences: r.Sequences, ByEvent: r.ByEvent, ByProperty: r.ByProperty, Newcomers: r.Newcomers,
	}
	other.derived.Store(r.flat())
	return other
}

// Bucket returns the position of the bucket with the id.
func (r *Registry) Bucket(id string) (BucketIndex, bool) {
	i, found := sort.Find(len(r.Buckets), func(i int) int { return strings.Compare(id, r.Buckets[i].ID) })
	return BucketIndex(i), found
}

// Event returns the position of the event with the name, or NoEvent if no criteria asks about it.
func (r *Registry) Event(name string) EventIndex {
	i, found := sort.Find(len(r.Events), func(i int) int { return strings.Compare(name, r.Events[i].Name) })
	if !found {
		return NoEvent
	}
	return EventIndex(i)
}

// Property returns the position of the property with the name, and whether it is declared. The
// properties inside it follow.
func (r *Registry) Property(name string) (PropertyIndex, bool) {
	// sort.Find copies no row.
	i, found := sort.Find(len(r.Properties), func(i int) int { return strings.Compare(name, r.Properties[i].Name) })
	return PropertyIndex(i), found
}

// PayloadProperty is Property for a key of a payload. A property that only traits set does not
// count.
func (r *Registry) PayloadProperty(name string) (PropertyIndex, bool) {
	p, declared := r.Property(name)
	return p, declared && !r.Properties[p].TraitsOnly
}

// Asks reports whether criteria ask about a key of the payload of an event, as a property of the
// user or as a field.
func (r *Registry) Asks(e EventIndex, key string) bool {
	if _, declared := r.PayloadProperty(key); declared {
		return true
	}
	for i := r.firstField(e); i < len(r.Fields) && r.Fields[i].Event == e; i++ {
		if r.Fields[i].Name == key {
			return true
		}
	}
	return false
}

// firstField returns the position of the first field of an event.
func (r *Registry) firstField(e EventIndex) int {
	return sort.Search(len(r.Fields), func(i int) bool { return r.Fields[i].Event >= e })
}

// Evaluate returns whether the criteria of a dynamic bucket hold at an instant, and until when. It
// reports whether facts that it read were not loaded, in which case the verdict means nothing and
// [Facts.Lacks] says what to load. It reads no facts where the bucket is closed, see
// [Registry.Closed].
func (r *Registry) Evaluate(b BucketIndex, f *Facts, now Instant) (verdict Verdict, lacking bool) {
	f.now = now
	before := len(f.lacks)
	verdict = r.flat().run(b, &r.Buckets[b], f)
	return verdict, len(f.lacks) > before
}

// Holds reports whether the criteria of a dynamic bucket hold at an instant, on facts that lack
// nothing.
func (r *Registry) Holds(b BucketIndex, f *Facts, now Instant) bool {
	verdict, _ := r.Evaluate(b, f, now)
	return verdict.True
}
