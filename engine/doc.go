// Package engine runs a registry of buckets on PostgreSQL: it ingests events, keeps memberships
// true at every instant, and delivers each transition to the subscribers of its bucket.
//
//	eng, err := engine.New(pool, gen.Registry, engine.Config{})
//	...
//	err = eng.OnEnter(gen.PowerUsers, engine.EnterHandler{Name: "welcome", Func: sendWelcome})
//	...
//	err = eng.Start(ctx)
//	defer eng.Stop(ctx)
//	...
//	result, err := eng.Ingest(ctx, gen.AppActiveEvent{}.By("ada"))
//
// Any number of engines, in any number of processes, may run on one database. Whatever they ingest for one user at
// once, the outcome is that of some sequential order: every writer takes the lock of the user's row before it reads what
// it decides on.
//
// An Engine may be used from several goroutines. The tables are made by package engine/migrate; the engine itself never
// changes the schema.
package engine
