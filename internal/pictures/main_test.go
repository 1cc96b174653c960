package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// TestCommitted checks that docs/img has the pictures that this program draws. Pictures of a run
// are equal but for their times, and the order of what happens at once.
func TestCommitted(t *testing.T) {
	t.Parallel()
	server := &postgres.Server{URL: pgtest.NewEmptyURL(t)}
	for _, d := range drawings {
		if d.name == "terminal-demo" {
			continue // TestDemoPicture of engine/server compares its figures
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			want, err := d.draw(t.Context(), server)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join("..", "..", "docs", "img", d.name+".svg"))
			if err != nil {
				t.Fatal(err)
			}
			if d.recorded && !slices.Equal(texts(got), texts(want)) {
				t.Errorf("docs/img/%s.svg says %q, a run says %q; go run ./internal/pictures docs/img %[1]s draws it anew", d.name, texts(got), texts(want))
			}
			if !d.recorded && !bytes.Equal(got, want) {
				t.Errorf("docs/img/%s.svg differs from the product; go run ./internal/pictures docs/img %[1]s draws it anew", d.name)
			}
		})
	}
}

var text = regexp.MustCompile(`<text[^>]*>([^<]*)</text>`)

// texts are the sorted texts of a picture without its times.
func texts(svg []byte) (all []string) {
	for _, found := range text.FindAllSubmatch(svg, -1) {
		if s := string(found[1]); !strings.HasSuffix(s, " ms") {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return all
}
