// Package buckets defines the buckets of this repository: its server runs them, its benchmarks
// measure them, its documentation shows them. Package gen is generated from it.
//
// One file holds one bucket; their properties and events are in vocab.go.
package buckets
