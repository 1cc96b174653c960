package doctest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLength checks that no page has more than 300 lines: a longer one is several.
func TestLength(t *testing.T) {
	t.Parallel()
	const most = 300
	for _, page := range pages(t, "docs", "README.md") {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > most {
			t.Errorf("%s has %d lines, want at most %d", page, n, most)
		}
	}
}
