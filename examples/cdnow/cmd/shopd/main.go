// Command shopd runs the buckets of the shop.
package main

import (
	"github.com/bucketgen/bucketgen/engine/server"

	"example.com/cdnow/gen"
)

func main() {
	server.Main(server.Host{Registry: gen.Registry})
}
