// Package enginetest helps hosts test programs that run an engine: a [World] is a started engine on
// a database, with a [Clock] that only the test moves.
//
//	func TestWelcome(t *testing.T) {
//		w := enginetest.New(t, pool, gen.Registry, enginetest.Options{Prepare: register})
//		w.Ingest(t.Context(), gen.AppActiveEvent{}.By("ada"))
//		w.Settle() // every handler was called
//		w.Advance(14 * bucket.Day)
//	}
//
// A test that only asks who is in which bucket needs no database: see package buckettest.
package enginetest
