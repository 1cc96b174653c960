// Package registry holds the names by which a host refers to buckets: the refs and properties that
// generated code declares, and the [Registry] that the host passes to the engine.
//
// A host calls [Traits] and the methods of refs, properties and payloads. Functions whose comments
// say "for generated code" or "for the engine" are not covered by the compatibility promise.
// Neither is package table, which holds the contents of a Registry.
package registry
