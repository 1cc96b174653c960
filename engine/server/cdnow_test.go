package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

var cdnowSeed = flag.Uint64("cdnow.seed", 0, "seed by which TestCDNOW shifts and thins the purchases; 0 draws one")

const day = 24 * time.Hour

var endOfCDNOW = time.Date(1998, time.July, 1, 0, 0, 0, 0, time.UTC)

// wholeCDNOW is what a replay of all purchases prints.
var wholeCDNOW = [][]string{
	{"bucket", "entered", "left", "active"},
	{"lapsed", "23389", "5160", "18229"},
	{"power-buyers", "7237", "6745", "492"},
	{"repeat-buyers", "11662", "0", "11662"},
}

// TestDemoPicture checks that the picture of make demo in the README shows the figures of
// TestCDNOW.
func TestDemoPicture(t *testing.T) {
	t.Parallel()
	picture, err := os.ReadFile(filepath.Join("..", "..", "docs", "img", "terminal-demo.svg"))
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for line := range strings.Lines(string(picture)) {
		_, text, _ := strings.Cut(line, ">")
		fields := strings.Fields(strings.TrimSuffix(strings.TrimSpace(text), "</text>"))
		if strings.HasPrefix(line, "<text") && len(fields) == 4 {
			got = append(got, fields)
		}
	}
	if diff := cmp.Diff(wholeCDNOW, got); diff != "" {
		t.Errorf("docs/img/terminal-demo.svg (-want +got):\n%s\nmake pictures draws it anew", diff)
	}
}

// TestCDNOW replays the purchases of 23,570 real customers by the command line, and compares the
// whole file of transitions with what a few loops over each customer's purchases say: once for all
// of them, once for some of them at another time. The loops share no code with what they judge.
func TestCDNOW(t *testing.T) {
	t.Parallel()
	lines := readCDNOW(t)
	t.Run("whole", func(t *testing.T) {
		t.Parallel()
		got := replayCDNOW(t, lines, endOfCDNOW)
		if diff := cmp.Diff(wholeCDNOW, got); diff != "" {
			t.Errorf("the table (-want +got):\n%s", diff)
		}
	})
	t.Run("thinned", func(t *testing.T) {
		t.Parallel()
		seed := *cdnowSeed
		for seed == 0 {
			seed = rand.Uint64()
		}
		t.Logf("-cdnow.seed=%d", seed)
		some, until := thin(lines, seed)
		replayCDNOW(t, some, until)
	})
}

// purchaseLine is a line of the data.
type purchaseLine struct {
	customer string
	at       time.Time
	cds      int
	amount   float64
}

// readCDNOW returns the purchases in the order of time, and of one day in that of the file.
func readCDNOW(t *testing.T) []purchaseLine {
	t.Helper()
	file, err := os.Open("../../examples/cdnow/data/CDNOW_master.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []purchaseLine
	scanner := bufio.NewScanner(text)
	for scanner.Scan() {
		var l purchaseLine
		var date string
		if _, err := fmt.Sscan(scanner.Text(), &l.customer, &date, &l.cds, &l.amount); err != nil {
			if len(lines) == 0 && strings.Contains(scanner.Text(), "customer_id") {
				continue
			}
			t.Fatalf("%q: %v", scanner.Text(), err)
		}
		if l.at, err = time.Parse("20060102", date); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(lines, func(a, b purchaseLine) int { return a.at.Compare(b.at) })
	return lines
}

// thin moves the purchases to another time and drops most customers.
func thin(lines []purchaseLine, seed uint64) ([]purchaseLine, time.Time) {
	random := rand.New(rand.NewPCG(seed, 0))
	shift := time.Duration(random.Int64N(int64(20*365*day))).Truncate(time.Microsecond) - 10*365*day
	dropped := map[string]bool{}
	var some []purchaseLine
	for _, l := range lines {
		if _, known := dropped[l.customer]; !known {
			dropped[l.customer] = random.IntN(5) > 0
		}
		if !dropped[l.customer] {
			l.at = l.at.Add(shift)
			some = append(some, l)
		}
	}
	return some, endOfCDNOW.Add(shift)
}

// replayCDNOW replays purchases against the buckets of the example.
func replayCDNOW(t *testing.T, lines []purchaseLine, until time.Time) [][]string {
	t.Helper()
	return replay(t, cdnowBuckets(t), lines, until, expectedTransitions(lines, until))
}

// cdnowBuckets are the buckets of the example.
func cdnowBuckets(t *testing.T) *registry.Registry {
	t.Helper()
	purchase := bucket.Event("purchase")
	return registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "repeat-buyers", Criteria: purchase.AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "power-buyers", Criteria: purchase.Within(90 * bucket.Day).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "lapsed", Criteria: bucket.All(purchase.Exists(), purchase.Within(180*bucket.Day).Never())}))
}

// replay replays purchases, and simulates them without a database, compares the files of
// transitions that come of them with the lines that they should have, and returns the table that is
// printed.
func replay(t *testing.T, r *registry.Registry, lines []purchaseLine, until time.Time, want []string) [][]string {
	t.Helper()
	replayed := played(t, r, "replay", lines, until, want)
	if simulated := played(t, r, "simulate", lines, until, want); !cmp.Equal(simulated, replayed) {
		t.Errorf("simulated, the table is %v, and replayed it is %v", simulated, replayed)
	}
	return replayed
}

func played(t *testing.T, r *registry.Registry, verb string, lines []purchaseLine, until time.Time, want []string) [][]string {
	t.Helper()
	dir := t.TempDir()
	input, transitions := filepath.Join(dir, "purchases.jsonl"), filepath.Join(dir, "transitions.csv")
	if err := os.WriteFile(input, calls(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := server.Run(t.Context(), server.Host{Registry: r, Name: "shopd"}, []string{
		verb, input, "--until", until.Format(time.RFC3339Nano), "--transitions", transitions, "--database", pgtest.NewURL(t),
	}, strings.NewReader(""), &stdout, &stderr)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, &stdout, &stderr)
	}
	got, err := os.ReadFile(transitions)
	if err != nil {
		t.Fatal(err)
	}
	compareTransitions(t, string(got), want)
	return table(stdout.String())
}

// calls writes purchases as JSON, a call a line.
func calls(lines []purchaseLine) []byte {
	var out bytes.Buffer
	for i, l := range lines {
		fmt.Fprintf(&out, `{"type":"track","userId":%q,"event":"purchase","properties":{"cds":%d,"amount":%.2f},"timestamp":%q,"messageId":"%d"}`+"\n",
			l.customer, l.cds, l.amount, l.at.Format(time.RFC3339Nano), i)
	}
	return out.Bytes()
}

// compareTransitions compares a file of transitions with the lines that it should have. What
// happens at one instant may stand there in any order.
func compareTransitions(t *testing.T, file string, want []string) {
	t.Helper()
	got := transitionLines(t, file)
	instant := func(line string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, line[strings.LastIndexByte(line, ',')+1:])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return at
	}
	if !slices.IsSortedFunc(got, func(a, b string) int { return instant(a).Compare(instant(b)) }) {
		t.Error("the transitions are not in the order of time")
	}
	sameLines(t, got, want)
}

// transitionLines returns the lines of a file of transitions.
func transitionLines(t *testing.T, file string) []string {
	t.Helper()
	const header = "bucket,user,transition,entryCount,at"
	lines := strings.Split(strings.TrimSuffix(file, "\n"), "\n")
	if lines[0] != header {
		t.Errorf("the file begins with %q, want %q", lines[0], header)
	}
	return lines[1:]
}

// sameLines compares lines, in any order.
func sameLines(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d transitions, want %d; only in the file:\n%s\nmissing there:\n%s", len(got), len(want), without(got, want), without(want, got))
	}
}

// without returns the first of the sorted lines that others lack.
func without(lines, others []string) string {
	const most = 20
	var left []string
	for _, l := range lines {
		if len(others) > 0 && others[0] < l {
			i, _ := slices.BinarySearch(others, l)
			others = others[i:]
		}
		if len(others) > 0 && others[0] == l {
			others = others[1:]
		} else if left = append(left, l); len(left) == most {
			break
		}
	}
	return strings.Join(left, "\n")
}

// table returns the cells of the table that a replay prints: up to an empty line.
func table(out string) [][]string {
	var cells [][]string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			break
		}
		cells = append(cells, fields)
	}
	return cells
}

// expectedTransitions works out what happens to each customer, as lines of the file.
func expectedTransitions(lines []purchaseLine, until time.Time) []string {
	var all []string
	for customer, times := range byCustomer(lines) {
		all = append(all, expected(customer, times, until)...)
	}
	return all
}

// byCustomer returns when each customer bought.
func byCustomer(lines []purchaseLine) map[string][]time.Time {
	all := map[string][]time.Time{}
	for _, l := range lines {
		all[l.customer] = append(all[l.customer], l.at)
	}
	return all
}

// expected works out what happens to a customer, purchase by purchase, with the instants between
// them at which a purchase gets 90 or 180 days old. What falls on one instant happens after the
// purchases of that instant.
func expected(customer string, times []time.Time, until time.Time) []string {
	var all []string
	for _, b := range []struct {
		id    string
		holds func(times []time.Time, now time.Time) bool
	}{
		{"lapsed", func(times []time.Time, now time.Time) bool {
			return len(times) > 0 && countWithin(times, now, 180*day) == 0
		}},
		{"power-buyers", func(times []time.Time, now time.Time) bool { return countWithin(times, now, 90*day) >= 3 }},
		{"repeat-buyers", func(times []time.Time, _ time.Time) bool { return len(times) >= 2 }},
	} {
		entryCount, member := 0, false
		look := func(bought int, now time.Time) {
			holds, kind := b.holds(times[:bought], now), "left"
			if holds == member {
				return
			}
			if member = holds; member {
				entryCount++
				kind = "entered"
			}
			all = append(all, fmt.Sprintf("%s,%s,%s,%d,%s", b.id, customer, kind, entryCount, now.UTC().Format(time.RFC3339Nano)))
		}
		for i, t := range times {
			look(i+1, t)
			next := until.Add(1)
			if i+1 < len(times) {
				next = times[i+1]
			}
			for _, aged := range ages(times[:i+1]) {
				if aged.After(t) && aged.Before(next) {
					look(i+1, aged)
				}
			}
		}
	}
	return all
}

func countWithin(times []time.Time, now time.Time, window time.Duration) int {
	n := 0
	for _, t := range times {
		if now.Sub(t) < window {
			n++
		}
	}
	return n
}

func ages(times []time.Time) []time.Time {
	var all []time.Time
	for _, t := range times {
		all = append(all, t.Add(90*day), t.Add(180*day))
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}
