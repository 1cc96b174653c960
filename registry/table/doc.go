// Package table holds a registry as data, and evaluates it: the tables that generated code declares, the facts of a user,
// and the operators that criteria are made of. It is for generated code and the engine only, and not covered by the
// compatibility promise; hosts use package registry.
//
// A [Registry] is data. Generated code holds one as static arrays, with a generated function per criteria beside the
// tables; the same registry can be built at run time, without the functions, and behaves the same.
//
// Everything that is known of a user at one moment is a [Facts]. Evaluating criteria on it gives a [Verdict]: whether
// the criteria hold, and the earliest instant at which the clock alone could change that.
//
// Files are named by what they are about:
//   - eval_*.go: operators, which answer a condition on facts
//   - facts_*.go: what is known of a user, what is missing, and what has changed
//   - match_*.go: finding the buckets that an event can be about, in the flat form of a registry
//
// The others declare rows and values.
package table

// IsAtLeastVersion2 is what generated code refers to, so that code of another generation than this package does not
// compile. The next incompatible change of the tables renames it.
const IsAtLeastVersion2 = true
