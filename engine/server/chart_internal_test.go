package server

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDraw(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	days := func(members ...int64) []point {
		points := make([]point, len(members))
		before := int64(0)
		for i, m := range members {
			points[i] = point{at: start.AddDate(0, 0, i), entered: max(m-before, 0), left: max(before-m, 0), members: m}
			before = m
		}
		return points
	}
	for _, test := range []struct {
		name   string
		points []point
		width  int
		want   string
	}{
		{"nothing", nil, 80, ""},
		{"no members", days(0, 0), 80, "" +
			"       0   \n" + strings.Repeat("           \n", chartHeight-1) +
			" entered    ≤ 0\n    left    ≤ 0\n         2026-01-01 2026-01-02\n"},
		{"each day", days(0, 1, 12, 48, 24, 0), 80, "" +
			"      48    █  \n" +
			"            █  \n" +
			"            █  \n" +
			"            ██ \n" +
			"           ▄██ \n" +
			"          ▁███ \n" +
			" entered  ▁▂█   ≤ 36\n" +
			"    left     ██ ≤ 24\n" +
			"         2026-01-01 2026-01-06\n"},
		{"days that share a column", days(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21), 19, "" +
			"      21      ▁█\n" +
			"             ▂██\n" +
			"            ▃███\n" +
			"           ▄████\n" +
			"          ▅█████\n" +
			"         ▆██████\n" +
			" entered ███████ ≤ 3\n" +
			"    left         ≤ 0\n" +
			"         2026-01-01 2026-01-19\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := draw(&out, test.points, test.width, time.DateOnly); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
