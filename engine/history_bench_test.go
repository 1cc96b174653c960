package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// BenchmarkHistory takes in one event after the other for a user with 10 events and for one with
// 1,000,000, in turns, once for each kind of condition. It reports the median of both, in µs, and
// their ratio.
func BenchmarkHistory(b *testing.B) {
	const window = 200 * bucket.Day // which most of the long history is in
	var (
		amount  = purchase.Number("amount")
		product = purchase.Text("product")
		large   = purchase.Where(amount.AtLeast(5))
	)
	for _, kind := range []struct {
		name     string
		criteria bucket.Criteria
	}{
		{"count", purchase.Within(window).AtLeast(3)},
		{"absence", purchase.Within(window).Never()},
		{"ever", purchase.AtLeast(500)},
		{"filter", large.Within(window).AtLeast(3)},
		{"filter-ever", large.AtLeast(500)},
		{"first", purchase.FirstTimeWithin(window)},
		{"first-field", product.Of(purchase.First()).Is("p")},
		{"ago", purchase.Ago(window, 100*bucket.Day).AtLeast(3)},
		{"filter-ago", large.Ago(window, 100*bucket.Day).Exactly(3)},
		{"sum", purchase.Within(window).Sum(amount).AtLeast(500)},
		{"average", purchase.Within(window).Avg(amount).AtLeast(13)},
		{"maximum", purchase.Within(window).Max(amount).AtLeast(20)},
		{"distinct", purchase.Within(window).Distinct(product).AtLeast(50)},
		{"distinct-days", purchase.Within(window).DistinctDays("Europe/Berlin").AtLeast(50)},
		{"calendar", purchase.ThisMonth("Europe/Berlin").AtLeast(3)},
		{"sequence", purchase.ThenWithin(window, purchase).InTheLast(window)},
		{"sequence-keyed", purchase.ThenWithin(window, purchase).By(product).InTheLast(window)},
		{"then-not", purchase.ThenNot(large).Within(bucket.Hour).Exists()},
		{"then-not-keyed", purchase.ThenNot(bucket.Event("refund")).Within(bucket.Hour).By(product, bucket.Event("refund").Text("product")).InTheLast(window)},
	} {
		b.Run(kind.name, func(b *testing.B) {
			w := newWorld(b, bucket.Define(bucket.Spec{ID: "asked", Criteria: kind.criteria}))
			ingest := func(user string) time.Duration {
				start := time.Now()
				_, err := w.Ingest(b.Context(), engine.Event{UserID: user, Name: "purchase", Properties: map[string]any{"amount": 12, "product": "p"}})
				if err != nil {
					b.Fatal(err)
				}
				return time.Since(start)
			}
			for range 10 {
				ingest("short")
				ingest("long")
			}
			lengthen(b, w)
			var short, long []time.Duration
			for b.Loop() {
				w.clock.Advance(20 * time.Second) // so that what is oldest leaves the window
				short, long = append(short, ingest("short")), append(long, ingest("long"))
			}
			slices.Sort(short)
			slices.Sort(long)
			s, l := short[len(short)/2], long[len(long)/2]
			b.ReportMetric(float64(s.Microseconds()), "short-µs")
			b.ReportMetric(float64(l.Microseconds()), "long-µs")
			b.ReportMetric(float64(l)/float64(s), "ratio")
		})
	}
}

// lengthen gives a user the history of a million further events, one every 20 seconds, as if they
// had been taken in.
func lengthen(b *testing.B, w *world) {
	b.Helper()
	const user, past = `(select id from bucketgen.contacts where user_id = 'long')`, `generate_series(1, 1000000) i`
	now := "'" + w.clock.Now().Format(time.RFC3339) + "'::timestamptz"
	for _, sql := range []string{
		`insert into bucketgen.events (contact_id, event_no, occurred_at, received_at, kind, properties)
			select ` + user + `, no, ` + now + ` - i * interval '20 s', ` + now + `, 'track', '{"amount": 12, "product": "p"}'
			from bucketgen.event_names, ` + past + ` where name = 'purchase'`,
		`insert into bucketgen.occurrences (contact_id, signal_no, occurred_at, value)
			select ` + user + `, s.signal_no, ` + now + ` - i * interval '20 s', '12'
			from (select distinct signal_no from bucketgen.occurrences) s, ` + past,
		`insert into bucketgen.groups (contact_id, signal_no, name, occurred_at)
			select ` + user + `, s.signal_no, i::text, ` + now + ` - i * interval '20 s'
			from (select distinct signal_no from bucketgen.groups) s, ` + past,
		`update bucketgen.totals set count = count + 1000000, first_at = ` + now + ` - 1000000 * interval '20 s'
			where contact_id = ` + user,
		// 200 days are 864,000 times 20 seconds.
		`update bucketgen.sums set total = total + 12 * 863999, count = count + 863999, cutoff = ` + now + ` - interval '200 days'
			where contact_id = ` + user,
		`insert into bucketgen.advances (contact_id, sequence_no, key, occurred_at, steps)
			select ` + user + `, s.sequence_no, s.key, ` + now + ` - i * interval '20 s', 3
			from (select distinct sequence_no, key from bucketgen.advances) s, ` + past,
		`insert into bucketgen.progress (contact_id, sequence_no, key, seen_at, begins, ends, outcome_at)
			select p.contact_id, p.sequence_no, i::text, ` + now + ` - i * interval '20 s', p.begins, p.ends, ` + now + ` - i * interval '20 s'
			from bucketgen.progress p, ` + past + ` where p.contact_id = ` + user + ` and p.key <> ''`,
		`vacuum analyze`,
	} {
		execSQL(b, w, sql)
	}
}
