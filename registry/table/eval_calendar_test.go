package table_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/registry/table"
)

func calendar(op ir.Operator, zone string) *ir.Node {
	return &ir.Node{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: "at", Type: ir.Time, Operator: op, Zone: zone}}
}

func one(n *ir.Node) *table.Registry {
	return plan.Build(&ir.File{Definitions: []ir.Definition{{ID: "a", Kind: ir.Dynamic, Criteria: n}}}).Registry
}

// TestCalendars checks when days, weeks and months begin and end where clocks are changed, by the
// instants that almanacs have.
func TestCalendars(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		op       ir.Operator
		zone, at string
		from, to string
	}{
		"a plain day":                 {op: ir.Today, zone: "UTC", at: "2026-03-05T23:59:59.999999Z", from: "2026-03-05T00:00:00Z", to: "2026-03-06T00:00:00Z"},
		"23 hours":                    {op: ir.Today, zone: "Europe/Berlin", at: "2026-03-29T12:00:00Z", from: "2026-03-28T23:00:00Z", to: "2026-03-29T22:00:00Z"},
		"25 hours":                    {op: ir.Today, zone: "Europe/Berlin", at: "2026-10-25T00:00:00Z", from: "2026-10-24T22:00:00Z", to: "2026-10-25T23:00:00Z"},
		"half an hour of summer":      {op: ir.Today, zone: "Australia/Lord_Howe", at: "2026-10-04T00:00:00Z", from: "2026-10-03T13:30:00Z", to: "2026-10-04T13:00:00Z"},
		"a midnight that is skipped":  {op: ir.Today, zone: "America/Sao_Paulo", at: "2018-11-04T03:00:00Z", from: "2018-11-04T03:00:00Z", to: "2018-11-05T02:00:00Z"},
		"the day before it":           {op: ir.Today, zone: "America/Sao_Paulo", at: "2018-11-04T02:59:59Z", from: "2018-11-03T03:00:00Z", to: "2018-11-04T03:00:00Z"},
		"clocks put back at midnight": {op: ir.Today, zone: "America/Sao_Paulo", at: "2018-02-18T02:30:00Z", from: "2018-02-17T02:00:00Z", to: "2018-02-18T03:00:00Z"},
		"put back after midnight":     {op: ir.Today, zone: "America/St_Johns", at: "2010-11-07T03:00:00Z", from: "2010-11-07T02:30:00Z", to: "2010-11-08T03:30:00Z"}, // 23:30 of the 6th, but the 7th has begun
		"a day that was skipped":      {op: ir.Today, zone: "Pacific/Apia", at: "2011-12-30T09:00:00Z", from: "2011-12-29T10:00:00Z", to: "2011-12-30T10:00:00Z"},
		"the day after it":            {op: ir.Today, zone: "Pacific/Apia", at: "2011-12-30T10:00:00Z", from: "2011-12-30T10:00:00Z", to: "2011-12-31T10:00:00Z"},
		"a week with a change":        {op: ir.ThisWeek, zone: "Europe/Berlin", at: "2026-03-29T21:59:59Z", from: "2026-03-22T23:00:00Z", to: "2026-03-29T22:00:00Z"},
		"a week over New Year":        {op: ir.ThisWeek, zone: "UTC", at: "2027-01-01T00:00:00Z", from: "2026-12-28T00:00:00Z", to: "2027-01-04T00:00:00Z"},
		"a week before all weeks":     {op: ir.ThisWeek, zone: "UTC", at: "1969-12-31T00:00:00Z", from: "1969-12-29T00:00:00Z", to: "1970-01-05T00:00:00Z"},
		"a month with a change":       {op: ir.ThisMonth, zone: "America/New_York", at: "2026-03-31T23:00:00Z", from: "2026-03-01T05:00:00Z", to: "2026-04-01T04:00:00Z"},
		"a leap month":                {op: ir.ThisMonth, zone: "Asia/Kolkata", at: "2028-02-29T18:29:59Z", from: "2028-01-31T18:30:00Z", to: "2028-02-29T18:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := one(calendar(tt.op, tt.zone))
			from, to := instantAt(t, tt.from), instantAt(t, tt.to)
			f := r.NewFacts("ada").Complete()
			f.SetProperty(0, table.Value{Kind: table.Text, Text: tt.at})
			for now, want := range map[table.Instant]table.Verdict{
				from - 1:                        {True: false, Until: from},
				from:                            {True: true, Until: to},
				to - 1:                          {True: true, Until: to},
				to:                              {True: false, Until: table.Never},
				from.Add(-400 * 24 * time.Hour): {True: false, Until: from},
			} {
				if got, _ := r.Evaluate(0, f, now); got != want {
					t.Errorf("at %s: got %v, want %v", now, got, want)
				}
			}
		})
	}
}

func instantAt(t *testing.T, text string) table.Instant {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return table.At(at)
}

// TestCalendarsReference compares the calendars of zones that change their clocks in odd ways, at
// instants around those changes, with those of the reference, which reads the clock on the wall
// every minute.
func TestCalendarsReference(t *testing.T) {
	t.Parallel()
	changes := map[string][]string{
		"Europe/Berlin":       {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
		"America/Sao_Paulo":   {"2018-02-18T02:00:00Z", "2018-11-04T03:00:00Z"},
		"America/St_Johns":    {"2010-03-14T03:31:00Z", "2010-11-07T02:31:00Z"},
		"Pacific/Apia":        {"2011-12-30T10:00:00Z", "2012-04-01T00:00:00Z"},
		"Africa/Cairo":        {"2026-04-23T22:00:00Z", "2026-10-29T21:00:00Z"},
		"Antarctica/Troll":    {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
		"Australia/Lord_Howe": {"2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"},
		"Asia/Kathmandu":      {"1985-12-31T18:30:00Z"},
	}
	zones := slices.Sorted(maps.Keys(changes)) // in one order, so that a seed says all
	draw.Check(t, 1500, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		change, err := time.Parse(time.RFC3339, rapid.SampledFrom(changes[zone]).Draw(t, "change"))
		if err != nil {
			t.Fatal(err)
		}
		near := func(label string) time.Time {
			return change.Add(time.Duration(rapid.IntRange(-40, 40).Draw(t, label))*15*time.Minute).
				AddDate(0, 0, rapid.SampledFrom([]int{0, 0, 0, 1, -1, 7, -7, 31}).Draw(t, label+" days")).
				Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, label+" µs")) * time.Microsecond)
		}
		n := calendar(rapid.SampledFrom([]ir.Operator{ir.Today, ir.ThisWeek, ir.ThisMonth}).Draw(t, "operator"), zone)
		at, now := near("at"), near("now")
		known := &refeval.Facts{Properties: map[string]any{"at": at.Format(time.RFC3339Nano)}}
		r := one(n)
		f := r.NewFacts("ada").Complete()
		f.SetProperty(0, table.Value{Kind: table.Text, Text: at.Format(time.RFC3339Nano)})
		verdict, _ := r.Evaluate(0, f, table.At(now))
		if problem := compare(n, known, now, verdict); problem != "" {
			t.Fatalf("%s\n%s\nof %s at %s", problem, refeval.DescribeNode(n), at, now)
		}
	})
}
