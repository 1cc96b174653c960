package server

import (
	"cmp"
	"time"
)

// HTTP says how the HTTP API of an engine behaves. All fields must be positive, or zero for the default.
type HTTP struct {
	// StoreProperties lets payloads set properties of users, as [engine.Engine.Ingest] does: keys that are declared as
	// properties. Defaults to false: of what an SDK sends, only traits are the user's.
	StoreProperties bool

	// Event is how many bytes a call may have. Defaults to 32 KB.
	Event int

	// Batch is how many bytes the body of a request may have, compressed or not. Defaults to 500 KB.
	Batch int

	// Read is how long the body of a request may take to arrive. Defaults to 20 s.
	Read time.Duration

	// Wait is how long a request waits for the database. Defaults to 30 s.
	Wait time.Duration

	// Streams is how many streams may be open at once. Defaults to 1,000.
	Streams int

	// Beat is how often a stream at least sends something. Defaults to 15 s.
	Beat time.Duration

	// Patience is how long the client of a stream may take to accept what is sent. Defaults to 10 s.
	Patience time.Duration
}

func (c HTTP) withDefaults() HTTP {
	c.Event = cmp.Or(c.Event, 32<<10)
	c.Batch = cmp.Or(c.Batch, 500<<10)
	c.Read = cmp.Or(c.Read, 20*time.Second)
	c.Wait = cmp.Or(c.Wait, 30*time.Second)
	c.Streams = cmp.Or(c.Streams, 1000)
	c.Beat = cmp.Or(c.Beat, 15*time.Second)
	c.Patience = cmp.Or(c.Patience, 10*time.Second)
	return c
}
