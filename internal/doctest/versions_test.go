package doctest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestGoVersions checks that CI and the page about compatibility name the Go release of go.mod and
// the one after it: the two latest.
func TestGoVersions(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	found := regexp.MustCompile(`(?m)^go 1\.(\d+)`).FindStringSubmatch(read("go.mod"))
	if found == nil {
		t.Fatal("go.mod states no version")
	}
	minor, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"docs/explanation/compatibility.md": fmt.Sprintf("the two latest releases, 1.%d and 1.%d", minor, minor+1),
		".github/workflows/ci.yml":          fmt.Sprintf(`go: ["1.%d", "1.%d"]`, minor, minor+1),
		"README.md":                         fmt.Sprintf("Go 1.%d or later", minor),
		"CONTRIBUTING.md":                   fmt.Sprintf("Go 1.%d or later", minor),
	} {
		if !strings.Contains(read(name), want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
}
