package chart_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine/studio/internal/chart"
)

var update = flag.Bool("update", false, "rewrite the charts that are expected")

// TestCharts compares charts with those of testdata.
func TestCharts(t *testing.T) {
	t.Parallel()
	steps := []chart.Column{
		{Members: 10, Entered: 4, Title: "Monday", Href: "/a?x=1&y=2", Day: "2026-01-05"},
		{Members: 12, Entered: 3, Left: 1, Title: `Tuesday "<b>"`, Mark: "deployment 2"},
		{Members: 7, Left: 5, Title: "Wednesday"},
	}
	for name, got := range map[string]string{
		"spark":   chart.Spark([]int64{1, 5, 3, 9}),
		"flat":    chart.Spark([]int64{4, 4, 4}),
		"share":   chart.Share(1, 3),
		"growth":  chart.Growth(steps),
		"compare": chart.Compare([]chart.Pair{{Members: 3, Other: 5, Day: "2026-01-05", Title: "Monday <b>"}, {Members: 6, Other: 4, Day: "2026-01-06"}}),
		"circles": chart.Circles(400, 100, 25),
		"three":   chart.Three([3]string{"a <b>", "b", "c"}, [8]string{1: "10", 2: "20", 3: "5", 4: "1,000", 5: "0", 6: "7", 7: "±3"}),
		"stops":   chart.Stops([]chart.Stop{{Share: 0.25, Class: "in"}, {Share: 1, Class: "out"}}),
		"lane":    chart.Lane{Spans: []chart.Span{{From: 0.1, To: 0.4, Title: "a <b>"}, {From: 0.5, To: 1, Open: true}}, Ticks: []float64{0.75}, Dots: []float64{0.1}}.SVG(),
	} {
		file := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(file, []byte(got+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestEmpty checks that nothing is drawn of nothing.
func TestEmpty(t *testing.T) {
	t.Parallel()
	if got := chart.Spark([]int64{1}) + chart.Growth(nil) + chart.Compare(nil); got != "" {
		t.Errorf("got %q", got)
	}
}

// TestRound checks the ends of axes.
func TestRound(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]int64{1: 1, 99: 99, 101: 110, 4321: 4400, 12402: 13000} {
		if got := chart.Round(n); got != want {
			t.Errorf("Round(%d) is %d, want %d", n, got, want)
		}
	}
}

// TestRange checks that the axis of sizes begins at zero unless they hardly change.
func TestRange(t *testing.T) {
	t.Parallel()
	if least, _, _ := chart.Range([]chart.Column{{Members: 50}, {Members: 100}}); least != 0 {
		t.Errorf("the axis of 50 to 100 begins at %d", least)
	}
	if least, _, _ := chart.Range([]chart.Column{{Members: 1000}, {Members: 1010}}); least < 900 || least > 1000 {
		t.Errorf("the axis of 1000 to 1010 begins at %d", least)
	}
}
