package server_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// TestBackTestCDNOW takes the purchases of CDNOW in while there are no buckets at all, and then
// asks what the three of the example would have come to: the same as if they had been there,
// transition by transition.
func TestBackTestCDNOW(t *testing.T) {
	t.Parallel()
	lines, until := readCDNOW(t), endOfCDNOW.Format(time.RFC3339)
	url, dir := pgtest.NewURL(t), t.TempDir()
	input, transitions := filepath.Join(dir, "purchases.jsonl"), filepath.Join(dir, "transitions.csv")
	if err := os.WriteFile(input, calls(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	r := cdnowBuckets(t)
	runOn(t, url, registrytest.Build(t), "replay", input, "--until", until)
	out := runOn(t, url, r, "backtest", "--until", until, "--transitions", transitions)
	want := [][]string{
		{"bucket", "entered", "left", "members"},
		{"lapsed", "23389", "5160", "18229"},
		{"power-buyers", "7237", "6745", "492"},
		{"repeat-buyers", "11662", "0", "11662"},
	}
	if diff := cmp.Diff(want, table(out)); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
	if !strings.Contains(out, "69659 events of 23570 users until "+until) {
		t.Errorf("what was gone through is not said:\n%s", out)
	}
	file, err := os.ReadFile(transitions)
	if err != nil {
		t.Fatal(err)
	}
	sameLines(t, transitionLines(t, string(file)), expectedTransitions(lines, endOfCDNOW))

	var result engine.BackTestResult
	out = runOn(t, url, r, "backtest", "power-buyers", "--against", "repeat-buyers", "--until", until, "--json")
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	sameDays(t, result.Buckets[0].Days, expectedDays("power-buyers", expectedTransitions(lines, endOfCDNOW)))
	v := result.Buckets[0].Against
	sameDays(t, v.Other.Days, expectedDays("repeat-buyers", expectedTransitions(lines, endOfCDNOW)))
	if got := [3]int64{v.OnlyRun, v.Both, v.OnlyOther}; got != [3]int64{0, 492, 11662 - 492} {
		t.Errorf("only power buyers, both, only repeat buyers: %v", got)
	}
}

// runOn runs a command line that must succeed, and returns what it prints.
func runOn(t *testing.T, url string, r *registry.Registry, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := server.Run(t.Context(), server.Host{Registry: r, Name: "shopd"}, append(args, "--database", url), strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("%v: exit code %d\n%s%s", args, code, &stdout, &stderr)
	}
	return stdout.String()
}

// expectedDays adds up lines of transitions: on which days how many users entered and left a
// bucket.
func expectedDays(bucket string, transitions []string) map[string][2]int64 {
	days := map[string][2]int64{}
	for _, line := range transitions {
		fields := strings.Split(line, ",")
		if fields[0] != bucket {
			continue
		}
		date, _, _ := strings.Cut(fields[4], "T")
		day := days[date]
		if fields[2] == "entered" {
			day[0]++
		} else {
			day[1]++
		}
		days[date] = day
	}
	return days
}

// sameDays compares days with what was expected to happen on them, and their members with what that
// adds up to.
func sameDays(t *testing.T, got []engine.BackTestDay, want map[string][2]int64) {
	t.Helper()
	found, members := map[string][2]int64{}, int64(0)
	for i, day := range got {
		if i > 0 && !day.At.Equal(got[i-1].At.AddDate(0, 0, 1)) {
			t.Errorf("%s follows %s", day.At, got[i-1].At)
		}
		if day.Entered+day.Left > 0 {
			found[day.At.Format(time.DateOnly)] = [2]int64{day.Entered, day.Left}
		}
		if members += day.Entered - day.Left; day.Members != members {
			t.Errorf("%s ends with %d members, want %d", day.At, day.Members, members)
		}
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("the days (-want +got):\n%s", diff)
	}
}
