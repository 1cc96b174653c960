package webhook_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/webhook"
)

// TestNotices posts what happens to ids to endpoints that ask for it, also to one that has buckets,
// and to no other.
func TestNotices(t *testing.T) {
	t.Parallel()
	visitors := bucket.Define(bucket.Spec{ID: "visitors", Anonymous: bucket.Include, Criteria: visit.Exists()})
	w := newWorld(t, pro, visitors)
	kinds := []engine.Kind{engine.Merged, engine.Entered, engine.Erased}
	all, some, none := newReceiver(t), newReceiver(t), newReceiver(t)
	all.batches, some.batches = true, true // notices are no transitions
	for _, e := range []webhook.Endpoint{
		{Name: "all", URL: all.URL, Kinds: kinds}, {Name: "some", URL: some.URL, Kinds: kinds, Buckets: []string{"pro"}}, {Name: "none", URL: none.URL},
	} {
		_, err := w.hooks.Create(t.Context(), e)
		must(t, err)
	}
	ingest := func(ev engine.Event) {
		t.Helper()
		_, err := w.Ingest(t.Context(), ev)
		must(t, err)
	}
	at := w.Time.Now().UTC().Truncate(time.Microsecond)
	ingest(engine.Event{AnonymousID: "phone", Name: "visit"})
	ingest(engine.Event{UserID: "ada", AnonymousID: "phone", Name: "login"})
	ingest(engine.Event{UserID: "ada", AnonymousID: "phone", Traits: map[string]any{"plan": "pro"}})
	w.serve(local)
	none.got(t, 2) // the default is transitions only
	equal(t, "types to all", typesOf(all.got(t, 3)), map[string]int{"bucket.entered": 2, "person.merged": 1})
	equal(t, "types to some", typesOf(some.got(t, 2)), map[string]int{"bucket.entered": 1, "person.merged": 1})
	phone, ada := engine.ID{Kind: "anonymous", Value: "phone"}, engine.ID{Kind: "user", Value: "ada"}
	for _, p := range some.all() {
		if p.Type == "person.merged" {
			equal(t, "notice", noticeOf(t, p), engine.Notice{From: &phone, Into: &ada, At: at})
		}
	}
	_, err := w.People().Erase(t.Context(), "ada", engine.EraseOptions{})
	must(t, err)
	erased := all.got(t, 4)[3]
	equal(t, "type", erased.Type, "person.erased")
	equal(t, "notice", noticeOf(t, erased), engine.Notice{IDs: []engine.ID{phone, ada}, At: at})
	some.got(t, 3)
	eventually(t, func() bool { return w.waiting() == 0 })
	none.got(t, 2)
}

func typesOf(posts []webhookPost) map[string]int {
	n := map[string]int{}
	for _, p := range posts {
		n[p.Type]++
	}
	return n
}

func noticeOf(t *testing.T, p webhookPost) engine.Notice {
	t.Helper()
	var m struct {
		Data engine.Notice `json:"data"`
	}
	must(t, json.Unmarshal(p.body, &m))
	return m.Data
}
