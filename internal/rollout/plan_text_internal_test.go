package rollout

import (
	"slices"
	"testing"

	"github.com/bucketgen/bucketgen"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		was, is, want []string
	}{
		{"none", []string{"a", "b"}, []string{"a", "b"}, []string{"  a", "  b"}},
		{"a line in the middle", []string{"a", "b", "c"}, []string{"a", "x", "c"}, []string{"  a", "- b", "+ x", "  c"}},
		{"a line more", []string{"a"}, []string{"a", "b"}, []string{"  a", "+ b"}},
		{"nothing left", []string{"a", "b"}, nil, []string{"- a", "- b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := differences(test.was, test.is); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAmount(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]bucketgen.Estimate{
		"0 users": {}, "1 user": {Count: 1}, "1 ± 2 users": {Count: 1, PlusMinus: 2}, "1,234,567 users": {Count: 1_234_567},
		"123 ± 1,000 users": {Count: 123, PlusMinus: 1000},
	} {
		if got := amount(e, "user"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
