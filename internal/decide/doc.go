// Package decide holds the one function that decides about memberships. Every writer calls it:
// ingest, the clock, manual changes, restores, merges, backfill and the simulator.
//
// It is pure: a [State] of one user goes in, read under that user's lock, and [Changes] come out,
// to be written before the lock is released. Between them a [Session] takes what happens to the
// user, in order. The package reads no clock and no database.
//
// What may follow from what happens depends on its cause: cause.go lists the causes side by side,
// and the rows of TestDecide show the rules by example.
//
// A session may read facts that were not loaded. It then goes on as if there were none, to find all
// that is lacking at once, and its changes are void: the caller checks [Session.Lacks], loads what
// is lacking into a fresh state and runs the session again.
package decide
