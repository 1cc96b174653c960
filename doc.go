// Package bucketgen keeps typed, real-time user segments in PostgreSQL.
//
// There is nothing in this package. Write buckets with package bucket, generate code from them with the command
// cmd/bucketgen, run that code with package engine, and test it with package bucket/buckettest. README.md shows how.
package bucketgen
