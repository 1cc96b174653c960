package store

import (
	"fmt"
	"testing"
)

// TestNamesKeepWhatComesAgain puts names that come once into a small cache, and one that comes
// again and again. The latter stays, and the cache stays small.
func TestNamesKeepWhatComesAgain(t *testing.T) {
	t.Parallel()
	const most = 10
	n := newNames(most)
	n.put("comes again", 1)
	for i := range 1000 {
		n.put(fmt.Sprintf("comes once %d", i), int32(2+i))
		if i%3 > 0 {
			continue
		}
		no := n.young["comes again"]
		if no == 0 {
			no = n.old["comes again"]
		}
		if no != 1 {
			t.Fatalf("after %d other names the number is %d, want 1", i, no)
		}
		n.put("comes again", no)
		if size := len(n.young) + len(n.old); size > most {
			t.Fatalf("%d names are kept, want %d at most", size, most)
		}
	}
}
