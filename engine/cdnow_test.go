package engine_test

import (
	"bufio"
	"compress/gzip"
	"flag"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
)

var cdnowSeed = flag.Uint64("cdnow.seed", 0, "seed by which TestCDNOW shifts and thins the purchases; 0 draws one")

// TestCDNOW replays the purchases of 23,570 real customers and compares every transition with what a few loops over
// each customer's purchases say: once for all of them, once for some of them at another time.
func TestCDNOW(t *testing.T) {
	t.Parallel()
	lines := readCDNOW(t)
	t.Run("whole", func(t *testing.T) {
		t.Parallel()
		counts := replayCDNOW(t, lines, time.Date(1998, time.July, 1, 0, 0, 0, 0, time.UTC))
		want := map[string]int{
			"entered repeat-buyers": 11_662, "entered power-buyers": 7_237, "left power-buyers": 6_745,
			"entered lapsed": 23_389, "left lapsed": 5_160,
		}
		if !maps.Equal(counts, want) {
			t.Errorf("got %v, want %v", counts, want)
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
	file, err := os.Open("../examples/cdnow/data/CDNOW_master.txt.gz")
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
	shift := time.Duration(random.Int64N(int64(20*365*bucket.Day))).Truncate(time.Microsecond) - 10*365*bucket.Day
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
	return some, time.Date(1998, time.July, 1, 0, 0, 0, 0, time.UTC).Add(shift)
}

// move is a transition, with nothing but what the loops below know of it.
type move struct {
	bucket, customer, kind string
	epoch                  int
	at                     time.Time
}

// replayCDNOW replays purchases, compares what comes of them, and returns how many moves there were of each kind.
func replayCDNOW(t *testing.T, lines []purchaseLine, until time.Time) map[string]int {
	t.Helper()
	purchase := bucket.Event("purchase")
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "repeat-buyers", Criteria: purchase.AtLeast(2)}),
		bucket.Define(bucket.Spec{ID: "power-buyers", Criteria: purchase.Within(90 * bucket.Day).AtLeast(3)}),
		bucket.Define(bucket.Spec{ID: "lapsed", Criteria: bucket.All(purchase.Exists(), purchase.Within(180*bucket.Day).Never())}))
	pool := pgtest.New(t)
	e := startEngine(t, pool, r, engine.Config{NoClock: true, NoDelivery: true}, nil)
	if _, err := e.ReplayEvents(t.Context(), purchases(lines), engine.ReplayOptions{Until: until}); err != nil {
		t.Fatal(err)
	}
	got := moves(t, pool)
	byCustomer := map[string][]time.Time{}
	for _, l := range lines {
		byCustomer[l.customer] = append(byCustomer[l.customer], l.at)
	}
	for customer, times := range byCustomer {
		want := expected(customer, times, until)
		if !slices.Equal(got[customer], want) {
			t.Fatalf("customer %s, who bought at %v:\n got  %v\n want %v", customer, times, got[customer], want)
		}
	}
	counts := map[string]int{}
	for _, all := range got {
		for _, m := range all {
			counts[m.kind+" "+m.bucket]++
		}
	}
	return counts
}

func purchases(lines []purchaseLine) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		for _, l := range lines {
			properties := fmt.Appendf(nil, `{"cds":%d,"amount":%.2f}`, l.cds, l.amount)
			if !yield(engine.Event{UserID: l.customer, Name: "purchase", PropertiesJSON: properties, OccurredAt: l.at}, nil) {
				return
			}
		}
	}
}

// moves returns what happened to each customer, by bucket and in order.
func moves(t *testing.T, pool *pgxpool.Pool) map[string][]move {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		select b.id, c.user_id, t.kind, t.epoch, t.at at time zone 'UTC'
		from bucketgen.transitions t
		join bucketgen.contacts c on c.id = t.contact_id
		join bucketgen.buckets b on b.no = t.bucket_no
		order by b.id, t.id`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m move, err error) {
		err = row.Scan(&m.bucket, &m.customer, &m.kind, &m.epoch, &m.at)
		return m, err
	})
	if err != nil {
		t.Fatal(err)
	}
	byCustomer := map[string][]move{}
	for _, m := range all {
		byCustomer[m.customer] = append(byCustomer[m.customer], m)
	}
	return byCustomer
}

// expected works out what happens to a customer, purchase by purchase, with the instants between them at which a
// purchase gets 90 or 180 days old. What falls on one instant happens after the purchases of that instant.
func expected(customer string, times []time.Time, until time.Time) []move {
	var all []move
	for _, b := range []struct {
		id    string
		holds func(times []time.Time, now time.Time) bool
	}{
		{"lapsed", func(times []time.Time, now time.Time) bool {
			return len(times) > 0 && within(times, now, 180*24*time.Hour) == 0
		}},
		{"power-buyers", func(times []time.Time, now time.Time) bool { return within(times, now, 90*24*time.Hour) >= 3 }},
		{"repeat-buyers", func(times []time.Time, _ time.Time) bool { return len(times) >= 2 }},
	} {
		epoch, member := 0, false
		look := func(bought int, now time.Time) {
			switch holds := b.holds(times[:bought], now); {
			case holds && !member:
				epoch++
				all = append(all, move{b.id, customer, "entered", epoch, now})
			case !holds && member:
				all = append(all, move{b.id, customer, "left", epoch, now})
			}
			member = b.holds(times[:bought], now)
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

func within(times []time.Time, now time.Time, window time.Duration) int {
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
		all = append(all, t.Add(90*24*time.Hour), t.Add(180*24*time.Hour))
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}
