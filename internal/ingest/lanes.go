package ingest

import (
	"context"

	"github.com/bucketgen/bucketgen/internal/batch"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// processInTurn processes items, those of one call in order also where they turn out to be of one
// contact: an item whose ids another one has, which is in another lane of the batcher, waits until
// that is done.
func (s *Service) processInTurn(ctx context.Context, c *batch.Call, items []*item) error {
	for {
		n := separable(items)
		if n == len(items) {
			return s.process(ctx, c, items)
		}
		part := &batch.Call{Began: c.Began}
		for _, it := range items[:n] {
			it.call = part
		}
		if err := s.process(ctx, part, items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
}

// separable returns how many of some items can be processed at once.
func separable(items []*item) int {
	lanes := Lanes{}
	for i, it := range items {
		if lanes.Cross(it.user, it.others) {
			return i
		}
	}
	return len(items)
}

// Lanes are the lanes of the batcher in which there are items with an id, by the names of ids. User
// ids are left out: an item with one is in its lane.
type Lanes map[string]string

// Cross adds an item, and reports whether there is one in another lane with one of its ids. Then it
// adds nothing.
func (l Lanes) Cross(user string, others []string) bool {
	if len(others) == 0 && !resolve.IsReserved(user) {
		return false
	}
	names := append([]string{user}, others...)
	for _, name := range names {
		if lane, seen := l[name]; seen && lane != user {
			return true
		}
	}
	for _, name := range names {
		if resolve.IsReserved(name) {
			l[name] = user
		}
	}
	return false
}
