package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/picture"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/internal/simulate"
	"github.com/bucketgen/bucketgen/registry/table"
)

// The states of a stay, as far as a reader needs them.
const (
	outside = "outside"
	member  = "member"
	held    = "held"
	blocked = "blocked"
)

// change is a change of state, and what brought it about.
type change struct{ from, to, by string }

// places are where the states stand in the picture.
var places = map[string][2]int{outside: {40, 60}, member: {460, 60}, held: {460, 230}, blocked: {40, 230}}

// ways are how arrows go from state to state, and where their texts are.
var ways = map[[2]string]struct {
	points []int
	x, y   int
	anchor string
}{
	{outside, member}:  {[]int{200, 75, 460, 75}, 330, 67, "middle"},
	{member, outside}:  {[]int{460, 95, 200, 95}, 330, 109, "middle"},
	{member, held}:     {[]int{540, 120, 540, 230}, 532, 180, "end"},
	{held, member}:     {[]int{590, 230, 590, 120}, 598, 180, "start"},
	{held, outside}:    {[]int{480, 230, 480, 195, 160, 195, 160, 120}, 300, 189, "middle"},
	{member, blocked}:  {[]int{620, 90, 700, 90, 700, 320, 120, 320, 120, 290}, 400, 338, "middle"},
	{blocked, member}:  {[]int{200, 270, 430, 270, 430, 113, 460, 113}, 315, 264, "middle"},
	{blocked, outside}: {[]int{80, 230, 80, 120}, 88, 180, "start"},
	{blocked, held}:    {[]int{200, 285, 460, 285}, 330, 300, "middle"},
}

// stayStates plays random histories of a bucket with both dwells, and draws the changes of state
// that occurred.
func stayStates() ([]byte, error) {
	seen, err := changes()
	if err != nil {
		return nil, err
	}
	p := picture.New(720, 350)
	for _, name := range []string{outside, member, held, blocked} {
		at := places[name]
		p.Box("box", at[0], at[1], 160, 60)
		p.Text("strong", "middle", at[0]+80, at[1]+25, name)
		p.Text("small", "middle", at[0]+80, at[1]+45, map[string]string{
			outside: "no member", member: "criteria hold", held: "criteria fail, still in", blocked: "criteria hold, not in",
		}[name])
	}
	by := map[[2]string][]string{}
	for s := range seen {
		by[[2]string{s.from, s.to}] = append(by[[2]string{s.from, s.to}], s.by)
	}
	for _, change := range slices.SortedFunc(maps.Keys(by), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) }) {
		way, known := ways[change]
		if !known {
			return nil, fmt.Errorf("a stay went from %s to %s by %v, for which the picture has no arrow", change[0], change[1], by[change])
		}
		p.Arrow(way.points...)
		slices.Sort(by[change])
		p.Text("small", way.anchor, way.x, way.y, strings.Join(by[change], ", "))
	}
	return p.SVG("States of a stay with minimal and maximal dwell: outside, member, held by the minimal dwell, blocked after the maximal dwell"), nil
}

// changes plays histories and returns the changes of state in them.
func changes() (map[change]bool, error) {
	on := bucket.Event("on")
	r, err := registrytest.Of(bucket.Define(bucket.Spec{
		ID:       "b",
		Criteria: bucket.All(bucket.Bool("open").IsTrue(), on.Within(5*time.Hour).Exists()),
		MinDwell: 2 * time.Hour, MaxDwell: 8 * time.Hour,
	}))
	if err != nil {
		return nil, err
	}
	seen := map[change]bool{}
	tables := r.Tables()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // histories, no secrets
		s := simulate.New(tables, table.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), decide.Limits{})
		before := outside
		for range 400 {
			by := act(s, rng, tables)
			after := stateOf(s, tables)
			if after != before {
				seen[change{before, after, by}] = true
			}
			before = after
		}
	}
	return seen, nil
}

// act lets an event happen, or a quarter of an hour pass.
func act(s *simulate.Simulator, rng *rand.Rand, r *table.Registry) string {
	switch rng.IntN(8) {
	case 0:
		s.Ingest("ada", decide.Event{Kind: decide.Track, Name: "on", Event: r.Event("on"), OccurredAt: s.Now()})
		return "event"
	case 1, 2:
		traits, err := payload.FromMap("traits", map[string]any{"open": rng.IntN(2) == 0}, 1<<10, payload.All)
		if err != nil {
			panic(err) // it is always the same
		}
		s.Ingest("ada", decide.Event{Kind: decide.Identify, Event: table.NoEvent, OccurredAt: s.Now(), Traits: traits})
		return "event"
	default:
		s.AdvanceTo(s.Now().Add(15 * time.Minute))
		return "clock"
	}
}

func stateOf(s *simulate.Simulator, r *table.Registry) string {
	stay, known := s.Stays("ada")["b"]
	st := s.User("ada")
	if !known || st == nil {
		return outside
	}
	holds := r.Holds(0, st.Facts, s.Now())
	switch {
	case stay.Active() && holds:
		return member
	case stay.Active():
		return held
	case stay.Blocked:
		return blocked
	}
	return outside
}
