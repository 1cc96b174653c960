package server

import (
	"time"

	"github.com/bucketgen/bucketgen/engine/identity"
)

// HTTP says how the HTTP API of an engine behaves. All fields must be positive, or zero for the
// default.
type HTTP struct {
	// StoreProperties lets payloads set properties of users, as [engine.Engine.Ingest] does: keys
	// that are declared as properties. Defaults to false: of what an SDK sends, only traits are the
	// user's.
	StoreProperties bool

	// Connections is how many connections the server of serve and dev has open at once. A further
	// one replaces another, the one that was idle for longest, of those on which no request had a
	// valid key before others. Defaults to 10,000.
	Connections int

	// KeylessConnections is how many of Connections may be open on which no request had a valid key
	// yet. A further one replaces the one of them that was idle for longest, or the oldest. Each
	// holds some 10 KB, and its Header. Defaults to 1,000.
	KeylessConnections int

	// Header is how many bytes the header of a request may have that comes to the server of serve
	// or dev: a longer one gets 431. At least 4 KB are let through. Defaults to 16 KB.
	Header int

	// Event is how many bytes a call may have. Defaults to 32 KB.
	Event int

	// Batch is how many bytes the body of a request may have, compressed or not. Defaults to 500
	// KB.
	Batch int

	// Items is how many calls a batch may have. It is also what a key with a rate saves up, so that
	// a batch of this size is possible for each. Defaults to 1,000.
	Items int

	// Read is how long the body of a request may take to arrive. Defaults to 20 s.
	Read time.Duration

	// Wait is how long a request waits for room, and then for the database. Defaults to 30 s.
	Wait time.Duration

	// InFlight is how many bytes all requests together may hold: one half for bodies as they
	// arrive, the other for the events that are read from them, and their answers. A body that
	// finds no room is refused by 503, and one that has arrived waits for room as long as for the
	// database. Defaults to 96 MB.
	InFlight int

	// InFlightKey is how many bytes of InFlight the requests of one key may hold. Defaults to half
	// of InFlight.
	InFlightKey int

	// Keyless is how many bytes all requests together may hold whose key is not known yet, because
	// it stands in the body. Defaults to 256 KB.
	Keyless int

	// KeylessBody is within how many bytes of a body its key must stand, decompressed. Defaults to
	// 64 KB, which is what browsers send by sendBeacon.
	KeylessBody int

	// KeylessRead is how long the key in a body may take to arrive. Defaults to 3 s.
	KeylessRead time.Duration

	// KeylessWork is how much processor time all requests together may take whose key is not known
	// yet, because it stands in the body, or which have none. A twentieth of a processor refills
	// it. Each takes 100 µs before its body is read, or 400 µs if that is compressed, and gives
	// them back when its key is valid: so it bounds how many such bodies may arrive at once. A
	// body for which no time is left is refused unread, by 503. Defaults to 2 ms.
	KeylessWork time.Duration

	// Refusals is how many requests of a key, or of all without a known key together, are refused
	// at once in each second. Further refusals are answered about a second later, so that clients
	// that try again at once are slowed down. Defaults to 20.
	Refusals int

	// Streams is how many streams may be open at once. Defaults to 1,000.
	Streams int

	// StreamsKey is how many streams one key may have open. Defaults to 100, or all of Streams if
	// that is less.
	StreamsKey int

	// Beat is how often a stream at least sends something. Defaults to 15 s.
	Beat time.Duration

	// Patience is how long the client of a stream may take to accept what is sent. Defaults to 10
	// s.
	Patience time.Duration

	// Authenticate returns the person that a request without a key comes from, for hosts that sign
	// people in by their own means. With it POST /v1/sessions is refused. Defaults to nil: people
	// sign in with a key.
	Authenticate identity.AuthenticateFunc

	// Show names the properties whose values support keys show. Other values, and e-mail addresses,
	// are masked. Defaults to none.
	Show []string

	// BehindTLS says that a proxy in front of the server ends TLS, so that browsers get a cookie
	// for TLS only. Without TLS and without a proxy people can sign in on this machine only.
	// Defaults to false.
	BehindTLS bool

	// PrivateWebhooks lets the management API create and test webhooks to this machine and to
	// private networks. Set it where AllowPrivate of webhook.Config is set. serve sets it by
	// --allow-private-webhooks. Defaults to false.
	PrivateWebhooks bool
}
