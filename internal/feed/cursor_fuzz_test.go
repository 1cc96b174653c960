package feed_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/internal/feed"
)

// FuzzCursor reads any text as a cursor: what is one is written as it was read.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "1.2", "10.20,11,12", "10.20~12.30~7", "~~", "1.2~3.4~-1", "18446744073709551615.9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := feed.ParseCursor(text)
		if err != nil {
			return
		}
		again, err := feed.ParseCursor(c.String())
		if err != nil || again.String() != c.String() {
			t.Fatalf("%q is read as %q, and that as %q, %v", text, c, again, err)
		}
	})
}
