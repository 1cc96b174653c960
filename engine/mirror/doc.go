// Package mirror mirrors memberships into analytics: PostHog by a property of each person, and
// receivers of the calls of Segment by track calls. Nothing is mirrored unless a host asks for it,
// before its engine starts:
//
//	server.Main(server.Host{
//		Registry: gen.Registry,
//		Handlers: func(e *engine.Engine) error {
//			return mirror.PostHog(e, mirror.PostHogConfig{Key: os.Getenv("POSTHOG_KEY")})
//		},
//	})
//
// From then on, joins and leaves wait in the outbox until they are sent, in order for each user and
// bucket, also while the receiver is away: so a mirror may be late, and loses nothing. What it
// refuses is tried for about three days, and then given up until it is replayed. Members from
// before the mirror, and unannounced joins, are not mirrored.
package mirror
