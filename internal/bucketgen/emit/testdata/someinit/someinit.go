// Package someinit has a variable to initialise, which generated packages must not have.
package someinit

// Numbers is made when a program starts.
var Numbers = map[string]int{"one": 1, "two": 2}
