// Command bucketd runs the buckets of this repository. A host's own program is the same few lines around its own.
package main

import (
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/gen"
)

func main() {
	server.Main(server.Host{Registry: gen.Registry})
}
