package server_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

// TestCDNOWDeployed takes the purchases in while there are no buckets, and deploys them afterwards:
// who is in them then is who would be if they had been there all the while, and the plan said so
// before.
func TestCDNOWDeployed(t *testing.T) {
	t.Parallel()
	lines, url, file := readCDNOW(t), pgtest.NewEmptyURL(t), filepath.Join(t.TempDir(), "purchases.jsonl")
	if err := os.WriteFile(file, calls(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	purchase := bucket.Event("purchase")
	none := server.Host{Name: "shopd", Registry: registrytest.Build(t)}
	shop := server.Host{Name: "shopd", Registry: registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "repeat-buyers", Criteria: purchase.AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "power-buyers", Criteria: purchase.Within(90 * bucket.Day).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "lapsed", Criteria: bucket.All(purchase.Exists(), purchase.Within(180*bucket.Day).Never())}))}
	run := func(h server.Host, code int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := server.Run(t.Context(), h, append(args, "--database", url), strings.NewReader(""), &stdout, &stderr); got != code {
			t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, code, &stdout, &stderr)
		}
		return stdout.String()
	}
	end := endOfCDNOW.Format(time.RFC3339)
	run(none, 0, "replay", file, "--until", end)

	var p engine.Plan
	if err := json.Unmarshal([]byte(run(shop, 1, "plan", "--at", end, "--json")), &p); err != nil {
		t.Fatal(err)
	}
	planned := map[string]int64{}
	for _, b := range p.Buckets {
		planned[b.ID] = b.Joins.Count
	}
	if diff := cmp.Diff(map[string]int64{"lapsed": 18229, "power-buyers": 492, "repeat-buyers": 11662}, planned); diff != "" {
		t.Errorf("planned joins (-want +got):\n%s", diff)
	}

	run(shop, 0, "deploy", "--at", end)
	want := active(expectedTransitions(lines, endOfCDNOW))
	for id, members := range want {
		got := backfilled(t, run(shop, 0, "members", id, "--json"))
		if int64(len(got)) != planned[id] || !slices.Equal(got, members) {
			t.Errorf("%s has %d members; only there:\n%s\nmissing there:\n%s", id, len(got), without(got, members), without(members, got))
		}
	}
	run(shop, 0, "plan", "--at", end)

	// A threshold that is raised: who bought three times and not four leaves, as planned, and is
	// announced.
	edited := server.Host{Name: "shopd", Registry: registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "repeat-buyers", Criteria: purchase.AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "power-buyers", Criteria: purchase.Within(90 * bucket.Day).AtLeast(4)}),
		bucket.Define(bucket.Spec{ID: "lapsed", Criteria: bucket.All(purchase.Exists(), purchase.Within(180*bucket.Day).Never())}))}
	leaving := int64(0)
	for _, times := range byCustomer(lines) {
		if countWithin(times, endOfCDNOW, 90*day) == 3 {
			leaving++
		}
	}
	if err := json.Unmarshal([]byte(run(edited, 1, "plan", "--at", end, "--json")), &p); err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Buckets {
		want := int64(0)
		if b.ID == "power-buyers" {
			want = leaving
		}
		if b.Leaves.Count != want || b.Joins.Count != 0 {
			t.Errorf("planned for %s: %d leave and %d join, want %d and none", b.ID, b.Leaves.Count, b.Joins.Count, want)
		}
	}
	var d engine.Deployment
	if err := json.Unmarshal([]byte(run(edited, 0, "deploy", "--at", end, "--json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.Left != leaving || d.Joined != 0 || !d.Finished() {
		t.Errorf("deployed: got %+v, want %d leaves and no join", d, leaving)
	}
}

// backfilled returns who is in a bucket, by its members as JSON. All of them must be there by a
// backfill.
func backfilled(t *testing.T, out string) []string {
	t.Helper()
	var users []string
	for line := range strings.Lines(out) {
		var m engine.Member
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m.Source != engine.SourceBackfill {
			t.Errorf("%s is a member by %s, want by backfill", m.UserID, m.Source)
		}
		users = append(users, m.UserID)
	}
	slices.Sort(users)
	return users
}

// active returns who is in each bucket in the end, by lines of a file of transitions.
func active(transitions []string) map[string][]string {
	balance := map[[2]string]int{}
	for _, line := range transitions {
		cells := strings.Split(line, ",")
		balance[[2]string{cells[0], cells[1]}] += map[string]int{"entered": 1, "left": -1}[cells[2]]
	}
	members := map[string][]string{}
	for pair, n := range balance {
		if n > 0 {
			members[pair[0]] = append(members[pair[0]], pair[1])
		}
	}
	for _, users := range members {
		slices.Sort(users)
	}
	return members
}
