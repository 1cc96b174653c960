// Command bucketd runs the buckets of this repository. A host's program is the same few lines
// around its own buckets.
package main

import (
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/hatchet"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/server/otlp"
	"github.com/bucketgen/bucketgen/gen"
)

func main() {
	server.Main(server.Host{
		Registry: gen.Registry,
		Config:   engine.Config{NoJobs: hatchet.Configured()},
		Tracers:  otlp.Tracers,
		Services: func(e *engine.Engine) ([]server.Service, error) {
			if !hatchet.Configured() {
				return nil, nil
			}
			a, err := hatchet.New(e, hatchet.Config{Events: []hatchet.Event{hatchet.Everything()}})
			return []server.Service{a}, err
		},
	})
}
