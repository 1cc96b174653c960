// Package bucketgen holds the words that every part of bucketgen shares: events, transitions,
// members, stays, and the errors that callers branch on. It imports the standard library only and
// does nothing. Package engine names the same types, so a host seldom imports this one.
//
// Bucketgen keeps typed, real-time user segments in PostgreSQL.
//
// # Where to begin
//
// README.md shows the first five minutes. The packages are, in the order in which a host meets
// them:
//
//   - bucket: write definitions, such as who is a power user.
//   - cmd/bucketgen: generate code from them, by convention into a folder gen.
//   - bucket/buckettest: test the definitions in memory.
//   - engine/migrate: make the tables.
//   - engine: run the generated code. Engine.Ingest takes events in, Engine.OnEnter and OnLeave
//     register handlers, Engine.Has and Members read, Engine.Explain says why, and Engine.Deploy
//     makes changed definitions live.
//   - engine/enginetest: test handlers, on a clock that only the test moves.
//   - engine/server: make a command line and an HTTP API of the same.
//
// # What is in this package
//
// An [Event] is what a user did, and a [Result] what it changed. A [Transition] says that a user
// entered or left a bucket, or that a stay has lasted for some time; its [Kind], [Source] and
// [Reason] say how it came. A [Member] is a user in a bucket, and a [Stay] the time from one enter
// to the next leave. An [Explanation] says why a user is in a bucket or not. A [Plan] says what a
// [Deployment] would change.
//
// # Errors
//
// [ErrDeleted], [ErrPaused], [ErrStopped] and the others are what callers branch on, by errors.Is.
// An [InvalidError] names the field of an event that is wrong. A handler returns a
// [RetryAfterError] to be called again later, or a [GiveUpError] if that is of no use.
//
// # Compatibility
//
// Package engine states what is promised; the same holds here.
package bucketgen
