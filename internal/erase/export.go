package erase

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// Export goes through every row about the person whom an id of a kind names, as of one moment. A
// person who is unknown gives ErrUnknownUser.
func (e *Eraser) Export(ctx context.Context, kind, id string) iter.Seq2[bucketgen.PersonRow, error] {
	return func(yield func(bucketgen.PersonRow, error) bool) {
		if err := e.export(ctx, kind, id, yield); err != nil {
			yield(bucketgen.PersonRow{}, err)
		}
	}
}

func (e *Eraser) export(ctx context.Context, kind, id string, yield func(bucketgen.PersonRow, error) bool) error {
	contacts, err := e.queries().EraseFind(ctx, resolve.Name(kind, id))
	switch {
	case err != nil:
		return fmt.Errorf("find the person: %w", err)
	case len(contacts) == 0:
		return bucketgen.ErrUnknownUser
	}
	ids := make([]int64, len(contacts))
	for i, c := range contacts {
		ids[i] = c.ID
	}
	names, err := e.queries().EraseNames(ctx, ids)
	if err != nil {
		return fmt.Errorf("read the ids of the person: %w", err)
	}
	rows, err := e.Pool.Query(ctx, e.Store.SQL(db.ExportRows), ids, names) // its rows come one by one, however many there are
	if err != nil {
		return fmt.Errorf("read the rows of the person: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var out bucketgen.PersonRow
		var content []byte
		if err := rows.Scan(&out.Table, &content); err != nil {
			return fmt.Errorf("read a row of the person: %w", err)
		}
		out.Row = readable(content)
		if !yield(out, nil) {
			return nil
		}
	}
	return rows.Err()
}

// named matches the beginning of the name of an id in JSON: its kind, between two marks.
var named = regexp.MustCompile(`\\u0001([a-z][a-z0-9_]*)\\u0001`)

// readable returns a row in which names of ids are texts that people can read, such as
// anonymous:phone.
func readable(row []byte) json.RawMessage { return named.ReplaceAll(row, []byte("$1:")) }
