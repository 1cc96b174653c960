package studio_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// htmxSum is the SHA-256 of dist/htmx.min.js in htmx.org 4.0.1 of npm.
const htmxSum = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"

// TestHtmx checks that the vendored file is the published one.
func TestHtmx(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(asset(t, "htmx-4.0.1.min.js"))
	if got := hex.EncodeToString(sum[:]); got != htmxSum {
		t.Errorf("got SHA-256 %s, want %s", got, htmxSum)
	}
}

// TestAssetBytes bounds what a browser loads for the first page, compressed.
func TestAssetBytes(t *testing.T) {
	t.Parallel()
	for kind, most := range map[string]int{"*.js": 60 << 10, "*.css": 15 << 10} {
		files, err := filepath.Glob(filepath.Join("assets", kind))
		if err != nil || len(files) == 0 {
			t.Fatalf("got %d files of %s, %v", len(files), kind, err)
		}
		sum := 0
		for _, file := range files {
			sum += zipped(asset(t, filepath.Base(file)))
		}
		t.Logf("%s: %d bytes", kind, sum)
		if sum > most {
			t.Errorf("%s have %d bytes together, want at most %d", kind, sum, most)
		}
	}
}

// TestNoEval checks that no template uses what the content security policy forbids: inline
// scripts and styles, and attributes of htmx that are code.
func TestNoEval(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("internal/view/*.templ")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	forbidden := regexp.MustCompile(`hx-on|js:|javascript:| style=|<style|<script>| on[a-z]+=|hx-vals|every \d+s ?\[`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.FindAll(text, -1); len(found) > 0 {
			t.Errorf("%s has %q", file, found)
		}
	}
}

func asset(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("assets", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// zipped is how many bytes a text has, compressed.
func zipped(text []byte) int {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.Copy(z, bytes.NewReader(text)) // a buffer takes everything
	_ = z.Close()
	return b.Len()
}
