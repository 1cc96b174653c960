package payload

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/registry/table"
)

// many returns a stored object of n members, and as many fields that change each of them.
func many(n int) (raw []byte, changes []Field) {
	raw = append(raw, '{')
	for i := range n {
		if i > 0 {
			raw = append(raw, ", "...)
		}
		raw = fmt.Appendf(raw, `"trait %d": %d`, i, i)
		text := strconv.Itoa(i + 1)
		changes = append(changes, Field{Key: fmt.Sprintf("trait %d", i), Value: table.Value{Kind: table.Number, Number: float64(i + 1)}, Raw: []byte(text)})
	}
	return append(raw, '}'), changes
}

// TestChangesAreLinear changes all members of an object, and counts how many bytes of its text are
// scanned: a bounded multiple of its length, whatever that is.
func TestChangesAreLinear(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 10, 100, 10_000} {
		raw, changes := many(n)
		p := Remember(raw)
		for i, f := range changes {
			p.Get(f.Key)
			p.Put(f)
			if i%10 == 9 {
				p.Put(null(f.Key))
			}
		}
		for _, f := range changes {
			p.Get(f.Key)
		}
		if most := (mostPasses + 3) * (len(raw) + 20); p.scanned > most {
			t.Errorf("%d members: %d bytes were scanned, more than %d", n, p.scanned, most)
		}
		if n > mostCompared && len(p.index) < n {
			t.Errorf("%d members: %d are found by their keys", n, len(p.index))
		}
		count, _ := p.Size()
		if want := n - n/10; count != want || len(p.Fields()) != want {
			t.Errorf("%d members: %d are left, want %d", n, count, want)
		}
	}
}

// BenchmarkChanges changes all members of a small and a large object. The ratio compares the cost
// per member.
func BenchmarkChanges(b *testing.B) {
	const members = 1_000_000
	per := func(n int) float64 {
		raw, changes := many(n)
		began := time.Now()
		for range members / n {
			p := Remember(raw)
			for _, f := range changes {
				p.Get(f.Key)
				p.Put(f)
			}
		}
		return float64(time.Since(began).Nanoseconds()) / members
	}
	for range b.N {
		small, large := per(100), per(10_000)
		b.ReportMetric(small, "ns/member-of-100")
		b.ReportMetric(large, "ns/member-of-10000")
		b.ReportMetric(large/small, "ratio")
	}
}
