package httpapi

import (
	"cmp"
	"time"

	"github.com/bucketgen/bucketgen/engine/identity"
)

// Config is how the API behaves. Its fields are those of server.HTTP, which documents them.
type Config struct {
	StoreProperties    bool
	Connections        int
	KeylessConnections int
	Header             int
	Event              int
	Batch              int
	Items              int
	Read               time.Duration
	Wait               time.Duration
	InFlight           int
	InFlightKey        int
	Keyless            int
	KeylessBody        int
	KeylessRead        time.Duration
	KeylessWork        time.Duration
	Refusals           int
	Streams            int
	StreamsKey         int
	Beat               time.Duration
	Patience           time.Duration
	Authenticate       identity.AuthenticateFunc
	Show               []string
	BehindTLS          bool
	PrivateWebhooks    bool
}

// WithDefaults returns the configuration with its defaults.
func (c Config) WithDefaults() Config {
	c.Connections = cmp.Or(c.Connections, 10_000)
	c.KeylessConnections = min(cmp.Or(c.KeylessConnections, 1000), c.Connections)
	c.Header = cmp.Or(c.Header, 16<<10)
	c.Event = cmp.Or(c.Event, 32<<10)
	c.Batch = cmp.Or(c.Batch, 500<<10)
	c.Items = cmp.Or(c.Items, 1000)
	c.Read = cmp.Or(c.Read, 20*time.Second)
	c.Wait = cmp.Or(c.Wait, 30*time.Second)
	c.InFlight = cmp.Or(c.InFlight, 96<<20)
	c.InFlightKey = cmp.Or(c.InFlightKey, c.InFlight/2)
	c.Keyless = cmp.Or(c.Keyless, 256<<10)
	c.KeylessBody = min(cmp.Or(c.KeylessBody, 64<<10), c.Batch)
	c.KeylessRead = cmp.Or(c.KeylessRead, 3*time.Second)
	c.KeylessWork = cmp.Or(c.KeylessWork, 2*time.Millisecond)
	c.Refusals = cmp.Or(c.Refusals, 20)
	c.Streams = cmp.Or(c.Streams, 1000)
	c.StreamsKey = cmp.Or(c.StreamsKey, min(100, c.Streams))
	c.Beat = cmp.Or(c.Beat, 15*time.Second)
	c.Patience = cmp.Or(c.Patience, 10*time.Second)
	return c
}
