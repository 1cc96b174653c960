package chart

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestApart checks that circles have the area in common that is asked for.
func TestApart(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		r, s := 1+99*rng.Float64(), 1+99*rng.Float64()
		want := rng.Float64() * math.Pi * min(r, s) * min(r, s)
		if got := lens(r, s, apart(r, s, want)); math.Abs(got-want) > 1e-3*(1+want) {
			t.Errorf("got circles of %f and %f with %f in common, want %f", r, s, got, want)
		}
	}
	for name, x := range map[string]struct{ r, s, area, want float64 }{
		"nothing in common":    {3, 4, 0, 7},
		"one within the other": {10, 4, math.Pi * 16, 6},
		"an empty one":         {10, 0, 0, 10},
	} {
		if got := apart(x.r, x.s, x.area); math.Abs(got-x.want) > 1e-3 {
			t.Errorf("%s: got centres %f apart, want %f", name, got, x.want)
		}
	}
}
