// Package decide holds the one function that decides over memberships. Whoever writes goes through it: ingest, clock
// workers, manual changes, restores, the simulator.
//
// It is pure: a [State] of one user goes in, read under that user's lock, and [Changes] come out, to be written before
// the lock is given up. Between them stands a [Session], to which the caller feeds what happens to the user, in order.
// It reads no clock and no database.
//
// A session may find that it lacks facts. It then goes on as if there were none, so as to find out about all of them at
// once, and its changes are worthless: the caller looks at [Session.Lacks], loads what is lacking into a fresh state and
// starts over.
package decide
