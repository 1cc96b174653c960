// Package refeval evaluates buckets as slowly and as plainly as possible. Tests compare the engine,
// the registry and the simulator with it. It was written from the contract of the project alone: it
// shares only the intermediate representation of definitions with them, keeps no index, no horizon
// and no due instant, and recounts whole histories.
//
// [Holds] and [Until] answer one criteria at one instant. [Run] plays whole histories: between two
// steps it walks through every instant at which a transition is conceivable and evaluates
// everything.
package refeval
