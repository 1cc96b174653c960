package bucketgen_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/bucketgen"
)

var update = flag.Bool("update", false, "rewrite what the golden cases want")

// TestGolden generates from the definitions testdata/<case>/in and compares with
// testdata/<case>/want: the package gen, if the case generates one, and the output of the command.
// Package emit runs the generated code.
func TestGolden(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*/in")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, in := range cases {
		dir := filepath.Dir(in)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			golden(t, in, filepath.Join(dir, "want"))
		})
	}
}

func golden(t *testing.T, in, want string) {
	t.Helper()
	var stderr bytes.Buffer
	cfg := bucketgen.Config{Dir: in, Out: filepath.Join(want, "gen"), Stderr: &stderr}
	if *update {
		if err := os.RemoveAll(want); err != nil {
			t.Fatal(err)
		}
		_, err := bucketgen.Generate(t.Context(), cfg)
		writeGolden(t, filepath.Join(want, "stderr.txt"), printed(&stderr, err))
		return
	}
	diff, err := bucketgen.Check(t.Context(), cfg)
	if d := cmp.Diff(readGolden(t, filepath.Join(want, "stderr.txt")), printed(&stderr, err)); d != "" {
		t.Errorf("what is printed is not what is wanted (-want +got):\n%s", d)
	}
	if len(diff) > 0 {
		t.Errorf("what is generated is not what is wanted (-want +got):\n%s", diff)
	}
	if _, found := os.Stat(cfg.Out); err != nil && found == nil {
		t.Errorf("a package is wanted, but there is an error: %v", err)
	}
}

// printed is what the command prints to stderr.
func printed(stderr *bytes.Buffer, err error) string {
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return stderr.String()
}

func readGolden(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

func writeGolden(t *testing.T, file, text string) {
	t.Helper()
	if text == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOwnPackage checks that the generated package of this repository is fresh.
func TestOwnPackage(t *testing.T) {
	t.Parallel()
	diff, err := bucketgen.Check(t.Context(), bucketgen.Config{Dir: "../../buckets"})
	if err != nil {
		t.Fatal(err)
	}
	if len(diff) > 0 {
		t.Errorf("gen is stale; run go generate ./buckets\n%s", diff)
	}
}
