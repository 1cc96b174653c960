// Package registry is the runtime support of the code that bucketgen generates: the types of its tables, the lookup of
// buckets by what an event carries, and the evaluation of criteria.
//
// A [Registry] is data. Generated code holds one as static arrays, with a generated function per criteria beside the
// tables; the same registry can be built at run time, without the functions, and behaves the same. Hosts hand a
// registry to the engine and name buckets by the typed refs that are generated with it; they have no other business
// here, and the table types are not covered by the compatibility promise.
//
// Everything that is known of a user at one moment is a [Facts]. Evaluating criteria on it gives a [Verdict]: whether
// the criteria hold, and the earliest instant at which the clock alone could change that.
package registry

// IsAtLeastVersion1 is what generated code refers to, so that code of another generation than this package does not
// compile. The next incompatible change of the tables renames it.
const IsAtLeastVersion1 = true
