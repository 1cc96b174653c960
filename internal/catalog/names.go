package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Hour is how often a name arrived in an hour of UTC. What a process counted between two flushes
// counts in the hour of its last arrival.
type Hour struct {
	At    time.Time // At is the beginning
	Count int64
}

// Hours returns how often names of a kind arrived in the hours from that of a time on, in order.
// Hours in which a name did not arrive are missing.
func Hours(ctx context.Context, q *db.Queries, kind Kind, since time.Time) (map[Name][]Hour, error) {
	rows, err := q.CatalogHours(ctx, db.CatalogHoursParams{Kind: string(kind), Since: store.Timestamp(since.UTC().Truncate(time.Hour))})
	if err != nil {
		return nil, fmt.Errorf("read the catalog by the hour: %w", err)
	}
	all := map[Name][]Hour{}
	for _, row := range rows {
		name := Name{kind, row.Event, row.Name}
		all[name] = append(all[name], Hour{row.Hour.Time.UTC(), row.Count})
	}
	return all, nil
}

// UsedBy returns which buckets ask about events, or about properties, by their ids.
func UsedBy(r *table.Registry, kind Kind) map[Name][]string {
	all := map[Name][]string{}
	for i := range r.Buckets {
		b := &r.Buckets[i]
		if kind == Event {
			for _, e := range b.Events {
				name := Name{Kind: Event, Event: r.Events[e].Name}
				all[name] = append(all[name], b.ID)
			}
			continue
		}
		for _, p := range b.Properties {
			name := Name{Kind: Property, Name: Path(r.Properties[p].Name, r.Properties[p].Path)}
			all[name] = append(all[name], b.ID)
		}
	}
	return all
}
