package archtest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks checks that links between the documents of this repository lead to files, and their
// anchors to headings.
func TestLinks(t *testing.T) {
	t.Parallel()
	const root = "../.."
	link := regexp.MustCompile(`(?:\]\(|src="|srcset=")([^)"#\s]*)(#[^)"\s]*)?`)
	links := 0
	for _, file := range written(t, root) {
		if filepath.Ext(file) != ".md" || strings.Contains(file, "testdata") {
			continue
		}
		for _, match := range link.FindAllStringSubmatch(prose(read(t, filepath.Join(root, file))), -1) {
			if strings.Contains(match[1], ":") || match[1]+match[2] == "" {
				continue
			}
			links++
			target := file
			if match[1] != "" {
				target = filepath.Join(filepath.Dir(file), match[1])
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %v", file, err)
			} else if match[2] != "" && !anchors(read(t, filepath.Join(root, target)))[match[2]] {
				t.Errorf("%s: %s has no heading for %s", file, target, match[2])
			}
		}
	}
	if links < 50 {
		t.Errorf("found %d links only", links)
	}
}

var fenced = regexp.MustCompile("(?ms)^```.*?^```$")

// prose returns a document without its blocks of code, and without code in its lines.
func prose(text string) string {
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(fenced.ReplaceAllString(text, ""), "``")
}

// anchors returns the anchors that GitHub gives to the headings of a document.
func anchors(text string) map[string]bool {
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	found := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		name := drop.ReplaceAllString(strings.ToLower(heading[1]), "")
		found["#"+strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}
