package decide

import "github.com/bucketgen/bucketgen/registry/table"

// scratch is memory that a session keeps from one user to the next, so that deciding about a user
// whom nothing happens to allocates nothing. Each field belongs to the one function named beside
// it, which empties it first; it is valid until that function runs again. Nothing that a session
// returns points into it.
type scratch struct {
	occurred    []table.Occurrence  // occur
	found       []table.BucketIndex // ingest: the candidates of an event
	memberOf    []table.BucketIndex // memberships
	evaluations []evaluation        // roundOf
}
