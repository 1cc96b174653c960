package registry

import "github.com/bucketgen/bucketgen/registry/table"

// Registry is the set of buckets that a program was generated with. Generated code declares one,
// and a host passes it to engine.New. It is read-only and safe for concurrent use.
type Registry struct{ tables *table.Registry }

// New is for generated code. The tables must not be changed afterwards.
func New(tables *table.Registry) *Registry { return &Registry{tables} }

// Tables is for the engine. Its result is not covered by the compatibility promise.
func (r *Registry) Tables() *table.Registry { return r.tables }

// Ref returns the ref of the bucket with an ID. It serves programs that know buckets by text, such
// as command lines and servers.
func (r *Registry) Ref(id string) (Ref, bool) {
	i, known := r.tables.Bucket(id)
	return Ref{id, i}, known
}

// Resolve is for the engine. It returns the index of the bucket that a ref names, and whether that
// bucket is in this registry.
func (r *Registry) Resolve(ref BucketRef) (table.BucketIndex, bool) {
	if ref == nil {
		return 0, false
	}
	return r.ResolveRef(ref.ref())
}

// ResolveRef is Resolve without an allocation: a Ref that is passed as a [BucketRef] escapes to the
// heap.
func (r *Registry) ResolveRef(ref Ref) (table.BucketIndex, bool) {
	if int(ref.index) < len(r.tables.Buckets) && r.tables.Buckets[ref.index].ID == ref.id {
		return ref.index, true
	}
	return r.tables.Bucket(ref.id)
}
