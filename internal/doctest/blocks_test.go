package doctest_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// TestBlocks checks that each block of the documentation is one that a test runs, compiles or
// parses, or says why it is only shown. It parses JSON and YAML, and runs SQL on empty tables.
// Guides run theirs in TestHowTo and TestTutorial; TestDocs of engine/server runs other commands.
func TestBlocks(t *testing.T) {
	t.Parallel()
	known := map[string]func(t *testing.T, b block){
		"go":   func(*testing.T, block) {}, // TestFragments, or the guide that writes it
		"sh":   func(*testing.T, block) {}, // TestHowTo, TestTutorial or TestDocs
		"text": func(*testing.T, block) {}, // what the block before printed, in a guide
		"json": parseJSON,
		"yaml": parseYAML,
		"sql":  runSQL,
	}
	for _, page := range pages(t, "docs", "README.md") {
		for _, b := range blocks(t, page) {
			check := known[b.lang]
			switch {
			case b.shown != "":
			case check == nil && b.file == "":
				t.Errorf("%s:%d: no test knows what to do with a block of %q; name its language, or say behind it shown: REASON", b.page, b.line, b.lang)
			case check != nil:
				check(t, b)
			}
		}
	}
}

func parseJSON(t *testing.T, b block) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(b.text)); ; {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
			return
		}
	}
}

func parseYAML(t *testing.T, b block) {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(b.text), &v); err != nil {
		t.Errorf("%s:%d: %v", b.page, b.line, err)
	}
}

func runSQL(t *testing.T, b block) {
	t.Helper()
	if guide(b.page) {
		return
	}
	if _, err := pgtest.New(t).Exec(t.Context(), b.text); err != nil {
		t.Errorf("%s:%d: %v", b.page, b.line, err)
	}
}

// guide reports whether a page is played from its beginning to its end.
func guide(page string) bool {
	return strings.HasPrefix(page, "docs/how-to/") || strings.HasPrefix(page, "docs/tutorial/")
}
