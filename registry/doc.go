// Package registry holds the names by which a host refers to buckets: the refs and properties that
// generated code declares, and the [Registry] that the host passes to the engine.
//
// # Refs
//
// Generated code declares a [Ref] for each bucket, such as gen.PowerUsers, a [ManualRef] for each
// bucket without criteria, and a [TickRef] for each tick. A host passes them to the engine. They
// are of types of their own, so the name of a bucket that does not exist does not compile. What
// takes any bucket takes a [BucketRef].
//
// # Properties
//
// Generated code declares each property of users, too. [Traits] makes the traits of an event from
// assignments to them, so a wrong name or type does not compile:
//
//	registry.Traits(gen.Properties.Plan.Set("pro"), gen.Properties.TrialDaysLeft.Set(2))
//
// # Compatibility
//
// A host calls [Traits] and the methods of refs and properties. Functions whose comments
// say "for generated code" or "for the engine" are not covered by the compatibility promise.
// Neither is package table, which holds the contents of a Registry.
package registry
