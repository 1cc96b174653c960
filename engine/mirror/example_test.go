package mirror_test

import (
	"os"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/mirror"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/gen" //nolint:depguard // examples are of hosts, which hand their gen in
	"github.com/bucketgen/bucketgen/registry"
)

// A host mirrors one bucket in PostHog, and all of them wherever the calls of Segment are taken.
func Example() { //nolint:testableexamples // it ends the process
	server.Main(server.Host{
		Registry: gen.Registry,
		Handlers: func(e *engine.Engine) error {
			err := mirror.PostHog(e, mirror.PostHogConfig{
				Key: os.Getenv("POSTHOG_KEY"), Host: "https://eu.i.posthog.com", Prefix: "shop",
				Buckets:    []registry.BucketRef{gen.PowerUsers},
				Properties: map[string]string{"power-users": "is_power_user"},
			})
			if err != nil {
				return err
			}
			return mirror.Segment(e, mirror.SegmentConfig{WriteKey: os.Getenv("SEGMENT_WRITE_KEY")})
		},
	})
}
