package page

import (
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/lookup"
)

var (
	users  *lookup.Lookup
	cursor engine.Cursor
)
