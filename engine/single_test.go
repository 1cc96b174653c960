package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestFirstAndLast takes in events of one instant and late ones, one by one and in one batch, and
// asks for what is kept of the first and the last: texts of any length, lists, what lies inside of
// objects, instants.
func TestFirstAndLast(t *testing.T) {
	t.Parallel()
	define := func(id string, c bucket.Criteria) bucket.Definition {
		return bucket.Define(bucket.Spec{ID: id, Criteria: c})
	}
	first, last := purchase.First(), purchase.Last()
	product, due := purchase.Text("product"), purchase.Time("due")
	w := newWorld(t,
		define("first-a", product.Of(first).Is("a")),
		define("first-z", product.Of(first).Is("z")),
		define("last-c", product.Of(last).Is("c")),
		define("last-long", product.Of(last).HasSuffix("end")),
		define("labels", purchase.List("labels").Of(last).HasAll("new", "red")),
		define("city", purchase.Text("address").At("geo", "city").Of(first).IsFold("OSLO")),
		define("staff", purchase.Number("address").At("staff").Of(last).AtLeast(2)),
		define("object", purchase.Text("address").Of(last).Exists()),
		define("due", due.Of(last).InTheLast(bucket.Hour)),
		define("gone", bucket.All(purchase.Exists(), product.Of(last).NotExists())),
	)
	at := func(after time.Duration, properties map[string]any) engine.Event {
		return engine.Event{Name: "purchase", OccurredAt: epoch.Add(after), Properties: properties}
	}
	w.clock.Advance(2 * time.Hour)
	steps := []struct {
		event engine.Event
		in    string // of the buckets, in the order of their ids
	}{
		{at(0, map[string]any{"product": "a", "address": map[string]any{"geo": map[string]any{"city": "Oslo"}, "staff": 3}}), "city first-a object staff"},
		{at(0, map[string]any{"product": "c", "labels": []any{"red", 5, "new", nil}}), "city first-a labels last-c"}, // arrives later
		{at(-time.Hour, map[string]any{"product": "z"}), "first-z labels last-c"},
		{at(-time.Hour, map[string]any{"product": "a"}), "first-z labels last-c"},
		{at(time.Hour, map[string]any{"product": strings.Repeat("long ", 2000) + "end"}), "first-z last-long"},
		{at(2*time.Hour, map[string]any{"due": epoch.Add(3 * time.Hour).Format(time.RFC3339)}), "first-z gone"},
	}
	members := func(user string) string {
		var in []string
		for _, id := range []string{"city", "due", "first-a", "first-z", "gone", "labels", "last-c", "last-long", "object", "staff"} {
			if w.has(id, user) {
				in = append(in, id)
			}
		}
		return strings.Join(in, " ")
	}
	batch := make([]engine.Event, len(steps))
	for i, step := range steps {
		batch[i], step.event.UserID = step.event, "ada"
		batch[i].UserID = "bob"
		w.ingest(step.event)
		equal(t, "buckets of ada after step "+itoa(i), members("ada"), step.in)
	}
	ingestAll(t, w.Engine, batch)
	equal(t, "buckets of bob", members("bob"), steps[len(steps)-1].in)
	const some = 4
	for i := range batch[:some] {
		batch[i].UserID = "cy"
	}
	ingestAll(t, w.Engine, batch[:some])
	equal(t, "buckets of cy", members("cy"), steps[some-1].in)

	w.clock.Advance(time.Hour)
	w.settle()
	equal(t, "buckets of ada when it is due", members("ada"), "due first-z gone")
	w.clock.Advance(time.Hour)
	w.settle()
	equal(t, "buckets of bob an hour later", members("bob"), "first-z gone")
}
