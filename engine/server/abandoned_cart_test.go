package server_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/bucket/buckettest"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry"
)

// deed is what a shopper does, and when that is noticed.
type deed struct {
	shopper, name, cart string
	at, seen            time.Time
	key                 string
}

const patience = 2 * time.Hour

// TestAbandonedCart lets a shop have a day: every shopper who leaves a cart alone for two hours
// joins at the very instant, in the simulator and on PostgreSQL. A few loops over all that was done
// say who and when.
func TestAbandonedCart(t *testing.T) {
	t.Parallel()
	added, bought := bucket.Event("cart_updated"), bucket.Event("purchase")
	anyCart := added.ThenNot(bought).Within(patience)
	r := registrytest.Build(t,
		bucket.Define(bucket.Spec{ID: "abandoned", Criteria: anyCart.Exists()}),
		bucket.Define(bucket.Spec{ID: "abandoned-cart", Criteria: anyCart.By(added.Text("cart"), bought.Text("order")).Exists()}))
	deeds := shopDay(rand.New(rand.NewPCG(4, 2)), 300)
	end := shopOpens.Add(30 * time.Hour)
	want := abandonments(deeds, end)
	if len(want) < 400 {
		t.Fatalf("the day has %d transitions only", len(want))
	}
	if diff := gocmp.Diff(want, simulateDay(t, r, deeds, end)); diff != "" {
		t.Errorf("the simulator (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(want, engineDay(t, r, deeds, end)); diff != "" {
		t.Errorf("the engine on PostgreSQL (-want +got):\n%s", diff)
	}
}

var shopOpens = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// shopDay draws what shoppers do within a day, in the order in which it is noticed. Some of it is
// noticed late, and some twice. Everything happens on whole minutes, so that purchases at the last
// moment are nothing rare.
func shopDay(rng *rand.Rand, shoppers int) []deed {
	var deeds []deed
	for i := range shoppers {
		shopper := "shopper-" + strconv.Itoa(i)
		for c := range 1 + rng.IntN(3) {
			cart := strconv.Itoa(i) + "-" + strconv.Itoa(c)
			at := shopOpens.Add(time.Duration(rng.IntN(14*60)) * time.Minute)
			for range 1 + rng.IntN(3) {
				deeds = append(deeds, deed{shopper: shopper, name: "cart_updated", cart: cart, at: at})
				at = at.Add(time.Duration(rng.IntN(90)) * time.Minute)
			}
			last := deeds[len(deeds)-1].at
			switch rng.IntN(4) {
			case 0: // never
			case 1: // at the last moment, or just too late
				deeds = append(deeds, deed{shopper: shopper, name: "purchase", cart: cart, at: last.Add(patience + time.Duration(rng.IntN(3)-1)*time.Minute)})
			default:
				deeds = append(deeds, deed{shopper: shopper, name: "purchase", cart: cart, at: last.Add(time.Duration(rng.IntN(240)) * time.Minute)})
			}
		}
	}
	for i := range deeds {
		d := &deeds[i]
		d.key = strconv.Itoa(i)
		if d.seen = d.at; rng.IntN(10) == 0 {
			d.seen = d.at.Add(time.Duration(rng.IntN(240)) * time.Minute)
		}
	}
	for _, d := range deeds {
		if rng.IntN(10) == 0 {
			d.seen = d.seen.Add(time.Duration(rng.IntN(60)) * time.Minute)
			deeds = append(deeds, d)
		}
	}
	slices.SortStableFunc(deeds, func(a, b deed) int { return a.seen.Compare(b.seen) })
	return deeds
}

// abandonments evaluates every shopper in every minute, by the events so far.
func abandonments(deeds []deed, end time.Time) []string {
	var rows []string
	byShopper := map[string][]deed{}
	for _, d := range deeds {
		byShopper[d.shopper] = append(byShopper[d.shopper], d)
	}
	for shopper, own := range byShopper {
		member := map[string]bool{}
		look := func(known []deed, now time.Time) {
			for bucket, is := range map[string]bool{"abandoned": left(known, "", now), "abandoned-cart": leftAny(known, now)} {
				if is != member[bucket] {
					member[bucket] = is
					rows = append(rows, transitionRow(now, shopper, bucket, map[bool]string{true: "entered", false: "left"}[is]))
				}
			}
		}
		noticed := 0
		for now := shopOpens; !now.After(end); now = now.Add(time.Minute) {
			for noticed < len(own) && own[noticed].seen.Equal(now) {
				noticed++
				look(own[:noticed], now)
			}
			look(own[:noticed], now)
		}
	}
	slices.Sort(rows)
	return rows
}

// left reports whether the last update of a cart, or of any, is two hours old and no purchase came
// after it.
func left(known []deed, cart string, now time.Time) bool {
	var updated, bought time.Time
	order, answer := -1, -1
	for i, d := range known {
		if cart != "" && d.cart != cart || slices.ContainsFunc(known[:i], func(e deed) bool { return e.key == d.key }) {
			continue // a duplicate
		}
		switch {
		case d.name == "cart_updated" && !d.at.Before(updated):
			updated, order = d.at, i
		case d.name == "purchase" && !d.at.Before(bought):
			bought, answer = d.at, i
		}
	}
	answered := bought.After(updated) || bought.Equal(updated) && answer > order
	return order >= 0 && !answered && !now.Before(updated.Add(patience))
}

func leftAny(known []deed, now time.Time) bool {
	return slices.ContainsFunc(known, func(d deed) bool { return left(known, d.cart, now) })
}

func transitionRow(at time.Time, user, bucket, kind string) string {
	return fmt.Sprintf("%s %s %s %s", at.UTC().Format(time.RFC3339Nano), user, kind, bucket)
}

func (d deed) properties() map[string]any {
	return map[string]any{map[string]string{"cart_updated": "cart", "purchase": "order"}[d.name]: d.cart}
}

func simulateDay(t *testing.T, r *registry.Registry, deeds []deed, end time.Time) []string {
	t.Helper()
	sim := buckettest.NewAt(t, r, shopOpens)
	for _, d := range deeds {
		sim.AdvanceTo(d.seen)
		sim.Ingest(buckettest.Event{UserID: d.shopper, Name: d.name, Properties: d.properties(), OccurredAt: d.at, Key: d.key})
	}
	sim.AdvanceTo(end)
	var rows []string
	for _, tr := range sim.Transitions() {
		rows = append(rows, transitionRow(tr.At, tr.UserID, tr.BucketID, tr.Kind))
	}
	slices.Sort(rows)
	return rows
}

// engineDay lets the engine notice everything at its time, on PostgreSQL, and the clock do its work
// only at the end: what was due then joins at the instant at which it was due.
func engineDay(t *testing.T, r *registry.Registry, deeds []deed, end time.Time) []string {
	t.Helper()
	pool := pgtest.New(t)
	now := shopOpens
	e, err := engine.New(pool, r, engine.Config{Now: func() time.Time { return now }, VirtualTime: true, NoClock: true, NoDelivery: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for len(deeds) > 0 {
		now = deeds[0].seen
		together := 0
		var events []engine.Event
		for together < len(deeds) && deeds[together].seen.Equal(now) {
			d := deeds[together]
			events = append(events, engine.Event{UserID: d.shopper, Name: d.name, Properties: d.properties(), OccurredAt: d.at, Key: d.key})
			together++
		}
		if _, err := e.IngestBatch(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		deeds = deeds[together:]
	}
	now = end
	if _, err := e.Clock().RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	stored, err := pool.Query(t.Context(), `select t.at, c.user_id, b.id, t.kind from bucketgen.transitions t
		join bucketgen.contacts c on c.id = t.contact_id join bucketgen.buckets b on b.no = t.bucket_no`)
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	var rows []string
	for stored.Next() {
		var at time.Time
		var user, bucket, kind string
		if err := stored.Scan(&at, &user, &bucket, &kind); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, transitionRow(at, user, bucket, kind))
	}
	if err := stored.Err(); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, cmp.Compare[string])
	return rows
}
