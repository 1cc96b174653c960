package registry

import "github.com/bucketgen/bucketgen/registry/table"

// BucketRef is the typed name of a bucket: a generated [Ref] or [ManualRef].
type BucketRef interface {
	// ID returns the id of the bucket.
	ID() string
	ref() Ref
}

// Ref names a bucket. Generated code declares one for every bucket. There is no other way to get
// one, so a misspelt bucket does not compile.
type Ref struct {
	id    string
	index table.BucketIndex
}

// NewRef is for generated code.
func NewRef(id string, index table.BucketIndex) Ref { return Ref{id, index} }

// ID returns the id of the bucket.
func (r Ref) ID() string { return r.id }

// EnteredEvent returns the name of the event that announces a join: "bucket:entered:<id>".
func (r Ref) EnteredEvent() string { return "bucket:entered:" + r.id }

// LeftEvent returns the name of the event that announces a leave: "bucket:left:<id>".
func (r Ref) LeftEvent() string { return "bucket:left:" + r.id }

func (r Ref) ref() Ref { return r }

// ManualRef names a manual bucket. It does what a [Ref] does, and also adds and removes users.
type ManualRef struct{ Ref }

// NewManualRef is for generated code.
func NewManualRef(id string, index table.BucketIndex) ManualRef { return ManualRef{Ref{id, index}} }

// TickRef names a dwell tick of a bucket.
type TickRef struct {
	bucket Ref
	label  string
}

// NewTickRef is for generated code.
func NewTickRef(id string, index table.BucketIndex, label string) TickRef {
	return TickRef{Ref{id, index}, label}
}

// Bucket returns the bucket that ticks.
func (t TickRef) Bucket() Ref { return t.bucket }

// Label returns the label of the tick: "after-90m" or "every-30d".
func (t TickRef) Label() string { return t.label }

// Event returns the name of the event that announces the tick: "bucket:dwell:<id>:<label>".
func (t TickRef) Event() string { return "bucket:dwell:" + t.bucket.id + ":" + t.label }
