package page

import (
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/hatchet"
)

var welcome func(hatchet.DurableContext, engine.Transition) error
