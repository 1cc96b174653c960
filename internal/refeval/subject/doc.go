// Package subject plays the reference's steps against the simulator and the engine, and returns the
// results in the reference's words.
package subject
