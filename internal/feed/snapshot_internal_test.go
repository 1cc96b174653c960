package feed

import (
	"slices"
	"testing"
)

func TestSnapshotAgainstAnEarlierOne(t *testing.T) {
	t.Parallel()
	before := snapshot{xmax: 100, lastID: 7, xip: []uint64{40, 90}}
	const nextXID = 200
	for _, test := range []struct {
		name       string
		s          snapshot
		hasNew     bool
		committed  []uint64
		supersedes bool
	}{
		{"the same", before, false, nil, true},
		{"a later transaction has logged", snapshot{120, 9, []uint64{40, 90}}, true, nil, true},
		{"a later transaction is in progress", snapshot{100, 7, []uint64{40, 90, 110}}, false, nil, true},
		{"one has ended", snapshot{100, 7, []uint64{90}}, true, []uint64{40}, true},
		{"all have ended", snapshot{100, 7, nil}, true, []uint64{40, 90}, true},
		{"one that had ended is in progress", snapshot{100, 7, []uint64{40, 50, 90}}, false, nil, false},
		{"a greater id is visible", snapshot{100, 8, []uint64{40, 90}}, true, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.s.hasNew(before); got != test.hasNew {
				t.Errorf("hasNew: got %t, want %t", got, test.hasNew)
			}
			if got := test.s.committedSince(before); !slices.Equal(got, test.committed) {
				t.Errorf("committedSince: got %v, want %v", got, test.committed)
			}
			if got := test.s.supersedes(before, nextXID); got != test.supersedes {
				t.Errorf("supersedes: got %t, want %t", got, test.supersedes)
			}
			if test.s.supersedes(before, before.xmax-1) {
				t.Error("it supersedes a snapshot with transactions that the server has not had")
			}
		})
	}
}

func TestSnapshotDoesNotGoBack(t *testing.T) {
	t.Parallel()
	got := snapshot{xmax: 50, lastID: 3, xip: []uint64{60}}.atLeast(snapshot{xmax: 100, lastID: 7, xip: []uint64{40}})
	if want := "100.7.60"; got.String() != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
