// Package draw draws random definitions and histories, for tests that compare different answers to
// what they mean.
//
// Instants and spans come from one small grid, so that what happens exactly at a boundary is
// nothing rare.
package draw
