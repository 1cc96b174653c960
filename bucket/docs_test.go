package bucket_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs checks that every condition in the tables of docs/reference/criteria.md is part of an
// example of this package: there it compiles.
func TestDocs(t *testing.T) {
	t.Parallel()
	var examples strings.Builder
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		examples.Write(source)
	}
	docs, err := os.ReadFile("../docs/reference/criteria.md")
	if err != nil {
		t.Fatal(err)
	}
	row, code := regexp.MustCompile("(?m)^\\| (`.*?) \\|"), regexp.MustCompile("``(.+?)``|`([^`]+)`")
	conditions := 0
	for _, r := range row.FindAllStringSubmatch(string(docs), -1) {
		for _, c := range code.FindAllStringSubmatch(r[1], -1) {
			conditions++
			if condition := c[1] + c[2]; !strings.Contains(examples.String(), condition) {
				t.Errorf("%s is in no example", condition)
			}
		}
	}
	if conditions < 30 {
		t.Errorf("found %d conditions only", conditions)
	}
}
