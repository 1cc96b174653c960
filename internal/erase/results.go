package erase

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/gen/db"
)

// cleanResults removes the person from the results of jobs, and returns how many there were.
func (p *person) cleanResults(ctx context.Context, q *db.Queries) (int64, error) {
	rows, err := q.EraseResults(ctx, p.names)
	if err != nil {
		return 0, fmt.Errorf("find results of jobs: %w", err)
	}
	for _, row := range rows {
		result, err := stripped(row.Result, p.names)
		if err != nil {
			return 0, fmt.Errorf("read the result of job %d: %w", row.No, err)
		}
		if err := q.EraseResult(ctx, db.EraseResultParams{Result: result, No: row.No}); err != nil {
			return 0, fmt.Errorf("change the result of job %d: %w", row.No, err)
		}
	}
	return int64(len(rows)), nil
}

// stripped returns a JSON value without some texts: they are removed from lists, and empty where
// they stand alone.
func stripped(raw []byte, texts []string) ([]byte, error) {
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(strip(value, texts))
}

func strip(value any, texts []string) any {
	unwanted := func(v any) bool {
		s, is := v.(string)
		return is && slices.Contains(texts, s)
	}
	switch v := value.(type) {
	case []any:
		v = slices.DeleteFunc(v, unwanted)
		for i := range v {
			v[i] = strip(v[i], texts)
		}
		return v
	case map[string]any:
		for key := range v {
			v[key] = strip(v[key], texts)
		}
	case string:
		if unwanted(v) {
			return ""
		}
	}
	return value
}
