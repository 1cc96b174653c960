package engine

import "github.com/bucketgen/bucketgen/registry"

// words says what a bucket is, as people read it.
func (e *Engine) words(b registry.Index) []string { return []string{} }
