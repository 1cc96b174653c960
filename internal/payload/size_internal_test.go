package payload

import "testing"

// TestCompactSize compares the size of a value as it is sent with that of the same value as
// PostgreSQL writes it.
func TestCompactSize(t *testing.T) {
	t.Parallel()
	for sent, stored := range map[string]string{
		`"a b"`:                   `"a b"`,
		`["a","b"]`:               `["a", "b"]`,
		`{"a":{"b":[1,2]},"c":3}`: `{"a": {"b": [1, 2]}, "c": 3}`,
		`["a \" , b\\",1]`:        `["a \" , b\\", 1]`,
	} {
		if got, want := compactSize([]byte(stored)), len(sent); got != want {
			t.Errorf("%s: got %d, want %d", stored, got, want)
		}
		if got, want := compactSize([]byte(sent)), len(sent); got != want {
			t.Errorf("%s: got %d, want %d", sent, got, want)
		}
	}
}
