// Package buckets defines the buckets of this repository: those that its server runs, its benchmarks measure and its
// documentation shows. Package gen is generated from it.
//
// One file holds one bucket; the words that they share are in vocab.go.
package buckets
