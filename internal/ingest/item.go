package ingest

import (
	"cmp"
	"context"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/batch"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// item is one event on its way into the database.
type item struct {
	given string // by whose name the caller gave it
	user  string // by whose name it was given to the batcher
	as    string // by whose name it is done, if it turned out that the user has another by now
	place int    // among all items that the batcher was given
	event decide.Event
	at    table.Instant   // virtual time of a replay, or Unset
	ctx   context.Context //nolint:containedctx // of the caller that waits for the item; it outlives no call

	// Contacts of the user, when it was found out that given leads to that user by a merge, and
	// that the other ids ask for nothing; 0: that was not found out by an item before.
	survivor, linked int64

	others    []string // names of the other ids, the highest first
	untrusted bool
	attach    []string // ids that become the user's
	seen      []string // ids of the user that were seen last on an earlier day
	warnings  []bucketgen.Warning

	result     decide.Result
	suppressed bool // suppressed says that the user was erased and may not come back
	err        error
	call       *batch.Call
	done       func(duplicate bool, err error) // called when it is, if not nil
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
		if name := names.Of(it.name()); name != it.name() {
			it.as, it.survivor, it.linked = name, 0, 0
		}
	}
	slices.SortStableFunc(items, func(a, b *item) int { return cmp.Compare(a.place, b.place) })
}

var _ batch.Item = (*item)(nil)

// User returns the name by which the item was given to the batcher.
func (it *item) User() string { return it.user }

// SetPlace notes the place of the item among all that the batcher was given.
func (it *item) SetPlace(n int) { it.place = n }

// itemBytes is about what an item takes beside its texts.
const itemBytes = 512

// size is how many bytes an item takes, about. It is the same for as long as the item waits.
func (it *item) size() int {
	ev := &it.event
	return itemBytes + len(it.user) + len(ev.Name) + len(ev.Key) + len(ev.Properties.Raw) + len(ev.Traits.Raw) + len(ev.Once.Raw)
}

// awaited reports whether the caller still waits.
func (it *item) awaited() bool { return it.ctx.Err() == nil }

// unnamed reports whether the name of an event has no number, after the lookup.
func (it *item) unnamed() bool { return it.event.Kind.Named() && it.event.NameNo == 0 }

// clock returns the time at which the item is decided on: its own in a replay, the given one else.
func (it *item) clock(now table.Instant) table.Instant {
	if it.at != table.Unset {
		return it.at
	}
	return now
}

// impossible is a contact that no user has.
const impossible = -1

// known returns the contact that the user has, if what is known of the ids is true: 0 if nothing is
// assumed, and impossible if it cannot be.
func (it *item) known() int64 {
	return agreed(it.survivor, it.linked)
}

// agreed returns the contact of two findings, of which 0 found none.
func agreed(a, b int64) int64 {
	switch {
	case b == 0 || b == a:
		return a
	case a == 0:
		return b
	default: // one of them is not true any more
		return impossible
	}
}

// refusal returns why an event was refused that was decided on, if it was.
func (it *item) refusal() error {
	return event.Refused(it.result.Refused)
}
