package explain

import "testing"

func TestNewest(t *testing.T) {
	t.Parallel()
	for rank, want := range map[int]string{
		1: "newest", 2: "2nd newest", 3: "3rd newest", 4: "4th newest", 11: "11th newest", 12: "12th newest", 13: "13th newest",
		21: "21st newest", 111: "111th newest", 122: "122nd newest",
	} {
		if got := newest(rank); got != want {
			t.Errorf("rank %d: got %q, want %q", rank, got, want)
		}
	}
}
