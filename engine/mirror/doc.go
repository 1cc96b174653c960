// Package mirror tells analytics who is in which bucket: PostHog by a property of each person, and whoever takes the calls of
// Segment by track calls. Nothing is mirrored unless a host asks for it, before its engine starts:
//
//	server.Main(server.Host{
//		Registry: gen.Registry,
//		Handlers: func(e *engine.Engine) error {
//			return mirror.PostHog(e, mirror.PostHogConfig{Key: os.Getenv("POSTHOG_KEY")})
//		},
//	})
//
// From then on, joins and leaves wait in the outbox until they are told, in order for each user and bucket, also while what they
// are told to is away: so a mirror may be late, and loses nothing. What it refuses is tried for about three days,
// and then given up until somebody replays it. Who joined before, or without being announced, is not told of.
package mirror
