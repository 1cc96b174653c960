package recent_test

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/recent"
	"github.com/bucketgen/bucketgen/registry/table"
)

var at = table.At(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))

// one is an event of a user.
func one(user string, e decide.Event) iter.Seq2[string, *decide.Event] {
	return func(yield func(string, *decide.Event) bool) { yield(user, &e) }
}

// track is an event with a payload.
func track(name, properties string) decide.Event {
	return decide.Event{Name: name, OccurredAt: at - 1000, Properties: payload.Object{Raw: []byte(properties)}}
}

// said writes events as "3 bob order".
func said(page bucketgen.RecentPage) string {
	all := make([]string, len(page.Events))
	for i, e := range page.Events {
		all[i] = fmt.Sprintf("%d %s %s", e.ID, e.UserID, e.Name)
	}
	return strings.Join(all, ", ")
}

// TestPage lists events by filters and in pages.
func TestPage(t *testing.T) {
	t.Parallel()
	e := recent.New(1 << 20)
	for i := range 5 {
		e.Add(at, one([]string{"ada", "bob"}[i%2], track([]string{"view", "order", "order"}[i%3], `{"n": 1}`)))
	}
	for name, c := range map[string]struct {
		query bucketgen.RecentQuery
		want  string
		next  int64
	}{
		"all":       {bucketgen.RecentQuery{}, "5 ada order, 4 bob view, 3 ada order, 2 bob order, 1 ada view", 0},
		"by name":   {bucketgen.RecentQuery{Name: "view"}, "4 bob view, 1 ada view", 0},
		"by user":   {bucketgen.RecentQuery{UserID: "bob"}, "4 bob view, 2 bob order", 0},
		"by both":   {bucketgen.RecentQuery{UserID: "bob", Name: "order"}, "2 bob order", 0},
		"page":      {bucketgen.RecentQuery{Size: 2}, "5 ada order, 4 bob view", 4},
		"next page": {bucketgen.RecentQuery{Size: 3, After: 4}, "3 ada order, 2 bob order, 1 ada view", 0},
	} {
		got := e.Page(&c.query)
		if said(got) != c.want || got.Next != c.next || !got.Since.Equal(at.Time()) {
			t.Errorf("%s: got %s, next %d, since %s; want %s, next %d", name, said(got), got.Next, got.Since, c.want, c.next)
		}
	}
	first := e.Page(&bucketgen.RecentQuery{Size: 1}).Events[0]
	if string(first.Properties) != `{"n": 1}` || first.Traits != nil || !first.ReceivedAt.Equal(at.Time()) || !first.OccurredAt.Before(first.ReceivedAt) {
		t.Errorf("the event is %+v", first)
	}
}

// TestBound forgets the oldest events beyond the bound, and all where nothing may be kept.
func TestBound(t *testing.T) {
	t.Parallel()
	const most = 10_000
	e := recent.New(most)
	for range 1000 {
		e.Add(at, one("ada", track("view", `{"text": "`+strings.Repeat("x", 700)+`"}`)))
	}
	got := e.Page(&bucketgen.RecentQuery{Size: 1000})
	if n := len(got.Events); n < 5 || n > most/700 || got.Events[0].ID != 1000 || got.Events[n-1].ID != int64(1000-n+1) {
		t.Errorf("%d events are kept: %s", n, said(got))
	}
	e.Add(at, one("ada", track("view", `{"text": "`+strings.Repeat("x", 2*most)+`"}`)))
	if got := e.Page(&bucketgen.RecentQuery{}); len(got.Events) != 0 || !got.Since.IsZero() {
		t.Errorf("kept is %s", said(got))
	}
	none := recent.New(-1)
	none.Add(at, one("ada", track("view", "{}")))
	if got := none.Page(&bucketgen.RecentQuery{}); len(got.Events) != 0 || got.Events == nil {
		t.Errorf("kept is %+v", got)
	}
}
