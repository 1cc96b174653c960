package table_test

import (
	"fmt"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/registrytest"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestSampleHash pins the hash: first the share of all users up to which each is left out, and from
// which on each is chosen. Users must never be chosen anew.
func TestSampleHash(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "a", Criteria: bucket.Sample(50, "a")}))
	for _, test := range []struct {
		salt, user    string
		below, atMost float64
	}{
		{"new-checkout", "ada", 68.3983420, 68.3983421},
		{"new-checkout", "bob", 22.9021979, 22.9021980},
		{"", "ada", 14.0351907, 14.0351908},
		{"a", "b", 35.0379090, 35.0379091},
		{"straße", "åsa@example.com", 80.3978346, 80.3978347},
		{"x", "user-1234567890", 64.4990487, 64.4990488},
	} {
		f := r.Tables().NewFacts(test.user)
		if f.Sample(test.below, test.salt).True {
			t.Errorf("user %q is in %v percent by %q", test.user, test.below, test.salt)
		}
		if v := f.Sample(test.atMost, test.salt); !v.True || v.Until != table.Never {
			t.Errorf("user %q in %v percent by %q: got %v", test.user, test.atMost, test.salt, v)
		}
	}
}

// TestSampleShare checks that samples are as large as they should be, and that salts make others.
func TestSampleShare(t *testing.T) {
	t.Parallel()
	r := registrytest.Build(t, bucket.Define(bucket.Spec{ID: "a", Criteria: bucket.Sample(50, "a")}))
	const users = 20_000
	var tenth, both, small int
	for i := range users {
		f := r.Tables().NewFacts(fmt.Sprintf("user-%d", i))
		if f.Sample(10, "a").True {
			tenth++
			if f.Sample(50, "b").True {
				both++
			}
			if !f.Sample(20, "a").True {
				t.Fatalf("user %d is in 10 percent and not in 20", i)
			}
		}
		if f.Sample(0.5, "a").True {
			small++
		}
	}
	for _, share := range []struct {
		name      string
		got, want int
	}{{"10 percent", tenth, users / 10}, {"half of them", both, users / 20}, {"0.5 percent", small, users / 200}} {
		if off := share.got - share.want; off*off > 16*share.want { // four standard deviations
			t.Errorf("%s are %d, want about %d", share.name, share.got, share.want)
		}
	}
}
