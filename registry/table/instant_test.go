package table_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/registry/table"
)

// anyInstant returns a random instant: of all that there are, of those that RFC 3339 can express,
// or one at an edge.
func anyInstant(rng *rand.Rand) table.Instant {
	const first = -62135596800_000000 // 0001-01-01T00:00:00Z
	edges := []table.Instant{first, 0, table.Latest, math.MaxInt64 - 1, math.MinInt64 + 1}
	switch rng.IntN(3) {
	case 0:
		return table.Instant(rng.Uint64())
	case 1:
		return first + table.Instant(rng.Int64N(int64(table.Latest)-first))
	default:
		return edges[rng.IntN(len(edges))]
	}
}

func bigOf[T ~int64](v T) *big.Int { return big.NewInt(int64(v)) }

// saturated is an exact number of microseconds as an instant.
func saturated(v *big.Int) table.Instant {
	switch {
	case v.Cmp(bigOf(table.Never)) > 0:
		return table.Never
	case v.Cmp(bigOf(table.Unset)) < 0:
		return table.Unset
	}
	return table.Instant(v.Int64())
}

// TestInstantsDoNotOverflow compares the arithmetic of instants with that of big integers.
func TestInstantsDoNotOverflow(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 9999))
	for range 20_000 {
		i, j := anyInstant(rng), anyInstant(rng)
		d := time.Duration(rng.Int64() >> rng.IntN(60))
		step := bigOf(d / time.Microsecond)
		for _, by := range []time.Duration{d, -d} {
			want := new(big.Int).Add(bigOf(i), bigOf(by/time.Microsecond))
			if got := i.Add(by); i != table.Never && got != saturated(want) {
				t.Fatalf("%d + %d: got %d, want %s", i, by, got, want)
			}
		}
		n := rng.Int64N(1 << (1 + rng.IntN(40)))
		want := new(big.Int).Add(bigOf(i), new(big.Int).Mul(step, big.NewInt(n)))
		// A product that is no number of microseconds is beyond everything, whatever the instant.
		if product := new(big.Int).Mul(step, big.NewInt(n)); product.IsInt64() && i.AddTimes(n, d) != saturated(want) {
			t.Fatalf("%d + %d times %d: got %d, want %s", i, n, d, i.AddTimes(n, d), want)
		}
		apart := new(big.Int).Sub(bigOf(i), bigOf(j))
		exact := new(big.Int).Mul(apart, bigOf(time.Microsecond))
		if got := i.Sub(j); exact.IsInt64() && int64(got) != exact.Int64() || !exact.IsInt64() && (got > 0) != (exact.Sign() > 0) {
			t.Fatalf("%d - %d: got %d, want %s", i, j, got, exact)
		}
		if d >= time.Microsecond && apart.IsInt64() {
			if got, want := i.Periods(j, d), new(big.Int).Quo(apart, step); got != want.Int64() {
				t.Fatalf("%d - %d in periods of %d: got %d, want %s", i, j, d, got, want)
			}
		}
	}
}
