package catalog_test

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/catalog"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// BenchmarkCollector counts events as they come from a batcher, 64 in a batch.
func BenchmarkCollector(b *testing.B) {
	purchase := bucket.Event("purchase")
	r := registrytest.Build(b, bucket.Define(bucket.Spec{ID: "drifting", Criteria: bucket.All(
		bucket.Text("plan").Is("pro"), bucket.Number("seats").AtLeast(2), bucket.Time("trial_ends_at").InTheNext(bucket.Week),
		purchase.Where(purchase.Number("total").AtLeast(10)).Exists(),
	)}))
	payload := []byte(`{"total": 12.5, "currency": "EUR", "items": [{"sku": "a"}, {"sku": "b"}], "coupon": null, "seats": 3}`)
	for _, bc := range []struct {
		name string
		in   bucketgen.Event
	}{
		{"declared", bucketgen.Event{UserID: "ada", Name: "purchase", PropertiesJSON: payload}},
		{"undeclared", bucketgen.Event{UserID: "ada", Name: "page viewed", PropertiesJSON: payload}},
		{"traits", bucketgen.Event{UserID: "ada", TraitsJSON: []byte(`{"plan": "pro", "seats": 3, "trial_ends_at": "2026-01-02T00:00:00Z", "name": "Ada", "city": "London"}`)}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			ev, err := event.Validate(r.Tables(), &bc.in, time.Now(), event.Limits{Payload: 1 << 15})
			if err != nil {
				b.Fatal(err)
			}
			c := catalog.NewCollector(r.Tables(), 10_000)
			events := []*decide.Event{&ev}
			b.ReportAllocs()
			at := table.At(time.Now())
			for n := 0; b.Loop(); n++ {
				if n%64 == 0 {
					c.Batch(at)
				}
				c.Add(events[0])
				if n%64 == 63 {
					c.End()
				}
			}
		})
	}
}

// BenchmarkCompare compares 1,000 declared names with 10,000 that arrived.
func BenchmarkCompare(b *testing.B) {
	r := &table.Registry{}
	for i := range 1000 {
		r.Events = append(r.Events, table.Event{Name: word(i) + " declared"})
	}
	rows := make([]catalog.Row, 10_000)
	for i := range rows {
		rows[i] = catalog.Row{Kind: catalog.Event, Event: word(7919*i) + " arrived", Count: 1}
	}
	for b.Loop() {
		catalog.Compare(r, rows)
	}
}

// word spells a number in letters.
func word(n int) string {
	text := []byte{}
	for n++; n > 0; n /= 26 {
		text = append(text, byte('a'+n%26), "aeiou"[n%5])
	}
	return string(text)
}
