// Package webhook posts transitions to URLs, as Standard Webhooks
// (https://www.standardwebhooks.com): signed, with an id that is the same at every attempt, for
// about three days until the receiver accepts them.
//
// Endpoints are rows of the database. [Endpoints] makes and changes them, in any process and at any
// time; a [Service] beside an engine posts to them:
//
//	hooks, err := webhook.New(eng, pool, webhook.Config{})
//	...
//	err = hooks.Start(ctx) // once the engine has started
//	defer hooks.Stop(ctx)
//
// Any number of processes may do so: each webhook is posted by one of them at a time. Of an
// endpoint, a user and a bucket, webhooks come in order, the next only when the one before was
// taken or given up. No endpoint waits for another.
//
// What an endpoint gets is a POST of
//
//	{
//	  "type": "bucket.entered",
//	  "timestamp": "2026-01-02T15:04:05Z",
//	  "data": {"bucketId": "power-users", "userId": "ada", ...}
//	}
//
// with the type bucket.entered, bucket.left or bucket.dwell, the instant of the transition, and the
// JSON form of [engine.Transition] as its data. Any answer of 2xx takes it, 410 disables the
// endpoint, and everything else is a reason to try again.
package webhook
