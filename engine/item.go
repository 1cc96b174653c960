package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/bucketgen/bucketgen/internal/batch"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// item is one event on its way into the database.
type item struct {
	user  string // by whose name it was given to the batcher
	as    string // by whose name it is done, if it turned out that the user has another by now
	place int    // among all items that the batcher was given
	event decide.Event
	at    table.Instant   // virtual time of a replay, or Unset
	ctx   context.Context //nolint:containedctx // of the caller that waits for the item; it outlives no call

	result decide.Result
	err    error
	call   *batch.Call
	done   func(*item) // called when it is, if not nil
}

// name returns the name of the user, as far as is known.
func (it *item) name() string {
	if it.as != "" {
		return it.as
	}
	return it.user
}

// rename gives items the names of users who turned out to be merged into others, and puts them in
// the order in which they came: two users may be one now.
func rename(items []*item, names transact.Names) {
	for _, it := range items {
		it.as = names.Of(it.name())
	}
	slices.SortStableFunc(items, func(a, b *item) int { return cmp.Compare(a.place, b.place) })
}

var _ batch.Item = (*item)(nil)

// User returns the name by which the item was given to the batcher.
func (it *item) User() string { return it.user }

// SetPlace notes the place of the item among all that the batcher was given.
func (it *item) SetPlace(n int) { it.place = n }
