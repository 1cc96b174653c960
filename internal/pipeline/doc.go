// Package pipeline collects statements and sends them to PostgreSQL by one round trip.
//
// A [Batch] is filled by [Batch.Add], or by generated queries that run on it. Callbacks read the
// rows while [Batch.Send] runs. Arguments that are slices are written without an allocation for
// each element, into buffers that are made large enough before.
package pipeline
