// Package recent keeps the latest events of a process in memory.
package recent

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// overhead is about what an event takes beside its texts.
const overhead = 200

// Events are the latest events of a process, up to a number of bytes. It is safe for concurrent
// use. A nil value keeps nothing.
type Events struct {
	most int

	mu    sync.Mutex
	all   []bucketgen.RecentEvent // all are the kept events, the oldest first
	bytes int
	last  int64 // last is the id of the latest event
}

// New returns room for a number of bytes, or nil if that is negative.
func New(bytes int) *Events {
	if bytes < 0 {
		return nil
	}
	return &Events{most: bytes}
}

// Add adds events that were stored at an instant, with their users. The texts are copied, so that
// the body of a request can be freed.
func (e *Events) Add(at table.Instant, events iter.Seq2[string, *decide.Event]) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for user, ev := range events {
		e.last++
		one := eventOf(user, ev, at)
		one.ID = e.last
		e.all = append(e.all, one)
		e.bytes += size(&one)
	}
	e.trim()
}

// trim forgets the oldest events beyond the bound.
func (e *Events) trim() {
	gone := 0
	for ; e.bytes > e.most; gone++ {
		e.bytes -= size(&e.all[gone])
		e.all[gone] = bucketgen.RecentEvent{} // so that its texts can be freed
	}
	e.all = e.all[gone:] // append moves the rest to a new array once this one is full
}

// Forget removes the events of users.
func (e *Events) Forget(users []string) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = slices.DeleteFunc(slices.Clone(e.all), func(one bucketgen.RecentEvent) bool { return slices.Contains(users, nameOf(&one)) })
	e.bytes = 0
	for i := range e.all {
		e.bytes += size(&e.all[i])
	}
}

func eventOf(user string, ev *decide.Event, at table.Instant) bucketgen.RecentEvent {
	one := bucketgen.RecentEvent{
		LoggedEvent: bucketgen.LoggedEvent{
			Name: strings.Clone(ev.Name), OccurredAt: at.Time(), ReceivedAt: at.Time(), Properties: cloned(ev.Properties.Raw), Traits: cloned(ev.Traits.Raw),
		},
		Once: cloned(ev.Once.Raw),
	}
	one.UserID, one.AnonymousID, one.IDs = resolve.Split(strings.Clone(user))
	if ev.OccurredAt != table.Unset {
		one.OccurredAt = ev.OccurredAt.Time()
	}
	return one
}

// cloned copies a JSON object. One without keys is left out.
func cloned(raw []byte) json.RawMessage {
	const empty = "{}"
	if len(raw) <= len(empty) {
		return nil
	}
	return json.RawMessage(strings.Clone(string(raw)))
}

// nameOf returns the name of the user of an event.
func nameOf(e *bucketgen.RecentEvent) string { return resolve.Join(e.UserID, e.AnonymousID, e.IDs) }

func size(e *bucketgen.RecentEvent) int {
	return overhead + len(nameOf(e)) + len(e.Name) + len(e.Properties) + len(e.Traits) + len(e.Once)
}

// Page returns the latest events that a query asks for, the newest first.
func (e *Events) Page(q *bucketgen.RecentQuery) bucketgen.RecentPage {
	page, most := bucketgen.RecentPage{Events: []bucketgen.RecentEvent{}}, min(cmp.Or(max(q.Size, 0), 100), 1000)
	if e == nil {
		return page
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.all) > 0 {
		page.Since = e.all[0].ReceivedAt
	}
	for i := len(e.all) - 1; i >= 0; i-- {
		one := &e.all[i]
		if q.After > 0 && one.ID >= q.After || q.Name != "" && one.Name != q.Name || q.UserID != "" && nameOf(one) != q.UserID {
			continue
		}
		if len(page.Events) == most {
			page.Next = page.Events[most-1].ID
			break
		}
		page.Events = append(page.Events, *one)
	}
	return page
}
