package doctest_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)#:]+\.md)`)

// TestIndex checks that the index of docs/, or one that it leads to, links each page.
func TestIndex(t *testing.T) {
	t.Parallel()
	const first = "docs/README.md"
	linked := map[string]bool{first: true}
	for open := []string{first}; len(open) > 0; open = open[1:] {
		text, err := os.ReadFile(filepath.Join(root, open[0]))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			page := path.Join(path.Dir(open[0]), found[1])
			if !linked[page] && strings.HasSuffix(page, "/README.md") {
				open = append(open, page)
			}
			linked[page] = true
		}
	}
	for _, page := range pages(t, "docs") {
		if !linked[page] {
			t.Errorf("no index links %s; add a line to docs/README.md", page)
		}
	}
}
