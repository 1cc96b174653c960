package view

import (
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// lastOf returns when a name was last received.
func lastOf(e client.CatalogEntry) time.Time {
	var last time.Time
	for _, s := range e.Seen {
		if s.LastSeen.After(last) {
			last = s.LastSeen
		}
	}
	return last
}
