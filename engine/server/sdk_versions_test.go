package server_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSDKVersionsOfTheDocs compares the table of docs/reference/http.md with the versions that the
// tests run: those of tools/sdks/package-lock.json, where playwright-core drives the browser, and
// those of go.mod.
func TestSDKVersionsOfTheDocs(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var lock struct {
		Packages map[string]struct {
			Version      string            `json:"version"`
			Dependencies map[string]string `json:"dependencies"`
		} `json:"packages"`
	}
	if err := json.Unmarshal([]byte(read("../../tools/sdks/package-lock.json")), &lock); err != nil {
		t.Fatal(err)
	}
	run := map[string]string{}
	for name := range lock.Packages[""].Dependencies {
		if name != "playwright-core" {
			run[name] = lock.Packages["node_modules/"+name].Version
		}
	}
	for _, module := range regexp.MustCompile(`(?m)^\t(\S+/(?:analytics-go|posthog-go)\S*) v(\S+)$`).FindAllStringSubmatch(read("../../go.mod"), -1) {
		run[module[1]] = module[2]
	}
	_, table, _ := strings.Cut(read("../../docs/reference/http.md"), "| SDK | version | setting |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`[^|]*\\| (\\S+) \\|").FindAllStringSubmatch(table, -1) {
		name := strings.TrimSuffix(row[1], "/bundled") // a file of the package
		documented[name] = row[2]
	}
	if diff := cmp.Diff(run, documented); diff != "" {
		t.Errorf("docs/reference/http.md differs from what is run (-run +documented):\n%s", diff)
	}
}
