package catalog

import (
	"context"
	"fmt"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Read returns everything that a registry declares or that has arrived, in all processes.
func Read(ctx context.Context, q *db.Queries, r *table.Registry) ([]Entry, error) {
	rows, err := q.CatalogAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	seen := make([]db.CatalogOfRow, len(rows))
	for i, row := range rows {
		seen[i] = db.CatalogOfRow(row)
	}
	return Compare(r, rowsOf(seen)), nil
}

// ReadOf is like Read, but only what has arrived of some properties and events is read.
func ReadOf(ctx context.Context, q *db.Queries, r *table.Registry, of db.CatalogOfParams) ([]Entry, error) {
	rows, err := q.CatalogOf(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	return Compare(r, rowsOf(rows)), nil
}

func rowsOf(rows []db.CatalogOfRow) []Row {
	seen := make([]Row, len(rows))
	for i, row := range rows {
		seen[i] = Row{
			Kind: Kind(row.Kind), Event: row.Event, Name: row.Name, Type: row.Type, Count: row.Count, Sampled: row.Sampled,
			First: row.FirstSeen.Time.UTC(), Last: row.LastSeen.Time.UTC(),
		}
	}
	return seen
}
