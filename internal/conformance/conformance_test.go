package conformance_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/conformance"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

var update = flag.Bool("update", false, "write testdata/report.txt anew")

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestRecordings plays every recording that is here. testdata/report.txt says which of them differ,
// and by what.
func TestRecordings(t *testing.T) { //nolint:tparallel // "play" waits for its own, which are parallel
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no recordings: %v", err)
	}
	reports := make([]*conformance.Report, len(files))
	t.Run("play", func(t *testing.T) {
		for i, file := range files {
			v, err := conformance.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(v.ID, func(t *testing.T) {
				t.Parallel()
				if reports[i] = conformance.Play(t.Context(), pgtest.New(t), v); reports[i].Err != nil {
					t.Error(reports[i])
				}
			})
		}
	})
	if t.Failed() || slices.Contains(reports, nil) { // -run picks some of them
		return
	}
	got := ""
	for _, r := range reports {
		got += r.String() + "\n"
	}
	if *update {
		if err := os.WriteFile("testdata/report.txt", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/report.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the recordings differ otherwise than before; if that is right, run with -update (-want +got):\n%s", diff)
	}
}
