// Package refeval says what buckets mean, as slowly and as plainly as possible. It is what the engine, the registry and
// the simulator are tested against, and was written from the contract of the project alone: it shares no code with
// them but the intermediate representation of definitions, keeps no index, no horizon and no due instant, and counts
// whole histories again and again.
//
// [Holds] and [Until] answer one criteria at one instant. [Run] plays whole histories: between two steps it walks
// through every instant at which anything could conceivably happen and looks at everything anew.
package refeval
