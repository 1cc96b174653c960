package bucketgen_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/bucketgen/bucketgen"
)

// TestVersion checks that Version is the newest release of CHANGELOG.md.
func TestVersion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	newest := regexp.MustCompile(`(?m)^## \[?(\d+\.\d+\.\d+)\]?`).FindSubmatch(text)
	if newest == nil || string(newest[1]) != bucketgen.Version {
		t.Errorf("got Version %s, want the newest of CHANGELOG.md, %q", bucketgen.Version, newest)
	}
}
