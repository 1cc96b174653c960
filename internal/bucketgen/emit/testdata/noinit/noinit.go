// Package noinit has nothing to initialise.
package noinit

// Numbers are there before a program starts.
var Numbers = []int{1, 2}
