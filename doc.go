// Package bucketgen holds the words that every part of bucketgen shares: events, transitions,
// members, stays, and the errors that callers branch on. It imports the standard library only and
// does nothing. Package engine names the same types, so a host seldom imports this one.
//
// Bucketgen keeps typed, real-time user segments in PostgreSQL. Write buckets with package bucket,
// generate code from them with the command cmd/bucketgen, run that code with package engine, and
// test it with package bucket/buckettest. README.md shows how.
package bucketgen
