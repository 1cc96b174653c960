package view

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/chart"
)

// TestComparedDays joins the days of two versions: a version keeps its size on days that it lacks.
func TestComparedDays(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, time.January, n, 0, 0, 0, 0, time.UTC) }
	b := client.BackTestBucket{
		Days: []client.BackTestDay{{At: day(2), Members: 3}, {At: day(4), Members: 1200}},
		Against: &client.BackTestVersions{Other: client.BackTestBucket{
			Days: []client.BackTestDay{{At: day(1), Members: 5}, {At: day(2), Members: 6}},
		}},
	}
	want := []chart.Pair{
		{Members: 0, Other: 5, Day: "2026-01-01", Title: "2026-01-01: 0 members, the other has 5"},
		{Members: 3, Other: 6, Day: "2026-01-02", Title: "2026-01-02: 3 members, the other has 6"},
		{Members: 1200, Other: 6, Day: "2026-01-04", Title: "2026-01-04: 1,200 members, the other has 6"},
	}
	if diff := cmp.Diff(want, comparedDays(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
