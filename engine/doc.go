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
// # Starting
//
// Package engine/migrate makes the tables; the engine itself never changes the schema. [New] makes
// an engine of a pool and the generated registry. Handlers are registered before [Engine.Start].
// [Engine.Stop] waits for what is under way. [Engine.Ready] serves a readiness probe.
//
// Any number of engines, in any number of processes, may run on one database. Whatever they ingest
// for one user at once, the outcome is that of some sequential order: every writer takes the lock
// of the user's row before it reads what it decides on. An Engine is safe for concurrent use.
//
// # Ingesting
//
// [Engine.Ingest] stores an event and changes every membership that depends on it before it
// returns. [Engine.IngestBatch] does so for many events. An [Event] with a Key can be sent again
// without being counted twice. [Engine.IngestTx] is part of a transaction of the caller, and so are
// [Engine.AddTx], [Engine.RemoveTx], [Engine.MergeTx], [Engine.DeleteTx] and [Engine.RestoreTx].
// What they change is there if and only if the caller commits.
//
// # Handlers and delivery guarantees
//
// [Engine.OnEnter], [Engine.OnLeave], [Engine.OnDwell] and [Engine.OnTransition] register handlers,
// [Engine.Forward] a forwarder, which takes many transitions at once. Each transition is delivered
// at least once, after its transaction was committed. The deliveries of one subscription, user and
// bucket come in order, one at a time. [Transition.Key] identifies a transition over all attempts.
//
// A handler that returns an error is called again later. [RetryAfter] says how much later at least,
// [GiveUp] makes a dead letter at once. [Engine.Outbox] lists what waits and what is dead.
//
// # Reading
//
// [Engine.Has], [Engine.Count] and [Engine.Members] read memberships, [Engine.HasAt] and
// [Engine.MembersAt] those of the past. [Engine.Explain] says why a user is in a bucket or not.
// [Engine.History] is what happened to one user, [Engine.Feed] what happens to all of them, from a
// cursor. [Engine.Users] has reads about single users. A call that takes a [Page] returns where the
// next page begins. Package engine/lookup caches memberships.
//
// # Deploying definitions
//
// The first engine that starts on a database deploys its definitions, unless [Config].NoDeploy
// is set. From then on a program with other definitions leaves the buckets that differ alone until
// it calls [Engine.Deploy]; [Engine.Plan] says what a deployment would change. [Engine.Deployments]
// previews, backfills, pauses, reconciles and retires.
//
// # Time
//
// Criteria hold or fail as time passes, without an event. A running engine does what is due by
// itself; [Engine.Clock] watches that, and does it in engines that run without their clock.
// [Config].Now is the clock, which tests set. [Config].VirtualTime makes it the only one, and
// [Engine.Replay] takes recorded events in at the times at which they occurred.
//
// # Compatibility
//
// Before version 1.0 a minor version may change names, signatures and JSON forms of this package;
// CHANGELOG.md lists each change. Migrations only go forward and keep the data. From 1.0 on the
// package follows semantic versioning. Packages under internal and the text of errors and logs are
// not covered.
package engine
