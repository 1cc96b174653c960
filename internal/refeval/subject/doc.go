// Package subject plays the reference's steps against what is to be tested, the simulator and the engine, and returns
// what came of it in the reference's words.
package subject
