// Package table holds a registry as data and evaluates it: the tables that generated code declares,
// the facts of a user, and the operators of criteria. It is for generated code and the engine only,
// and not covered by the compatibility promise; hosts use package registry.
//
// A [Registry] is data. Generated code holds one as static arrays, with a generated function per
// criteria beside the tables; the same registry can be built at run time, without the functions,
// and behaves the same.
//
// A [Facts] is the engine's knowledge of a user. Evaluating criteria on it gives a [Verdict]:
// whether the criteria hold, and the earliest instant at which the clock alone could change that.
//
// The files have prefixes:
//   - eval_*.go: operators, which answer a condition on facts
//   - facts_*.go: the facts of a user, those that are missing, and those that have changed
//   - match_*.go: the search for the buckets that an event can concern, by example in
//     docs/explanation/matching.md
//
// The others declare rows and values.
package table

// IsAtLeastVersion2 is referred to by generated code, so that code of another version than this
// package does not compile. The next incompatible change of the tables renames it.
const IsAtLeastVersion2 = true
