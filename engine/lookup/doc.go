// Package lookup answers which buckets users are in from memory, as fast as a map does, and never
// by more than a stated time behind what was committed.
//
//	users, err := lookup.New(e, lookup.Config{})
//	...
//	err = e.Start(ctx)
//	err = users.Start(ctx)
//	...
//	has, err := users.Has(ctx, gen.PowerUsers, "ada")
//
// It remembers users who are asked about, and forgets each as soon as it sees that their buckets
// may be others than before. A user who is not cached is read from the database, with all of their
// buckets. What is remembered counts only while the lookup polled the database a short time ago: if
// it could not, the database answers, or no one does. So the bound on staleness does not rest on
// messages that might be lost.
package lookup
