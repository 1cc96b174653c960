// Package registry holds what a host names buckets by: the refs and properties that are generated from definitions, and
// the [Registry] that it passes to the engine.
//
// Generated code declares them all; a host calls [Traits] and the methods of refs and properties. The functions whose
// comments say "for generated code" or "for the engine" are not covered by the compatibility promise, and neither is
// package table, which holds what is inside of a Registry.
package registry
