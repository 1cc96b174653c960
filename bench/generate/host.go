package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// host is a module that has many definitions, and uses this one as it stands here.
type host struct {
	dir     string
	buckets int
	alone   bool
}

// The definitions speak of as much as those of the benchmark of matching do.
const (
	texts, numbers = 25, 25
	values         = 45
	eventNames     = 200
	family         = 50 // buckets that a function returns
)

func newHost(ctx context.Context, dir string, buckets int, alone bool) (*host, error) {
	h := &host{dir, buckets, alone}
	if err := os.MkdirAll(filepath.Join(dir, "buckets"), 0o750); err != nil {
		return nil, err
	}
	for _, name := range []string{"go.mod", "go.sum"} { // versions are those of this module
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil { //nolint:gosec // both are named here
			return nil, err
		}
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	_, err = timed(ctx, dir, "go", "mod", "edit", "-module", "example.com/host",
		"-require", "github.com/bucketgen/bucketgen@v0.0.0", "-replace", "github.com/bucketgen/bucketgen="+here)
	return h, err
}

// write writes the definitions. Those of another round differ in one number.
func (h *host) write(round int) error {
	rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a fixed seed is the point
	if err := h.file("vocab.go", vocabulary()); err != nil {
		return err
	}
	for first := 0; first < h.buckets; first += family {
		var src bytes.Buffer
		fmt.Fprint(&src, "package buckets\n\nimport \"github.com/bucketgen/bucketgen/bucket\"\n\n")
		if !h.alone {
			fmt.Fprintf(&src, "// Family%[1]d are some of many.\nvar Family%[1]d = family%[1]d()\n\n", first)
			fmt.Fprintf(&src, "func family%d() []bucket.Definition {\n\treturn []bucket.Definition{\n", first)
		}
		for i := first; i < min(first+family, h.buckets); i++ {
			h.define(&src, rng, i, round)
		}
		if !h.alone {
			fmt.Fprint(&src, "\t}\n}\n")
		}
		if err := h.file(fmt.Sprintf("buckets%d.go", first), src.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) file(name string, src []byte) error {
	return os.WriteFile(filepath.Join(h.dir, "buckets", name), src, 0o600)
}

func vocabulary() []byte {
	var src bytes.Buffer
	fmt.Fprint(&src, "package buckets\n\nimport \"github.com/bucketgen/bucketgen/bucket\"\n\nvar (\n")
	for i := range texts {
		fmt.Fprintf(&src, "\tText%02d = bucket.Text(\"text_%02d\")\n", i, i)
	}
	for i := range numbers {
		fmt.Fprintf(&src, "\tNumber%02d = bucket.Number(\"number_%02d\")\n", i, i)
	}
	for i := range eventNames {
		fmt.Fprintf(&src, "\tEvent%03d = bucket.Event(\"event.%03d\")\n", i, i)
	}
	fmt.Fprint(&src, ")\n")
	return src.Bytes()
}

// define writes a definition of two to four conditions: a text, and numbers or counts of events.
func (h *host) define(src *bytes.Buffer, rng *rand.Rand, i, round int) {
	if h.alone {
		fmt.Fprintf(src, "// Bucket%06d is one of many.\nvar Bucket%06d = bucket.Define(bucket.Spec{\n", i, i)
	} else {
		fmt.Fprint(src, "bucket.Define(bucket.Spec{\n")
	}
	fmt.Fprintf(src, "\tID: \"bucket-%06d\",\n\tCriteria: bucket.All(\n\t\tText%02d.Is(\"value-%02d\"),\n", i, rng.IntN(texts), rng.IntN(values))
	for range 1 + rng.IntN(3) {
		if rng.IntN(3) == 0 {
			fmt.Fprintf(src, "\t\tEvent%03d.Within(%d*bucket.Day).AtLeast(%d),\n", rng.IntN(eventNames), 1+rng.IntN(30), 1+rng.IntN(5))
		} else {
			fmt.Fprintf(src, "\t\tNumber%02d.MoreThan(%d),\n", rng.IntN(numbers), rng.IntN(100))
		}
	}
	if i == 0 {
		fmt.Fprintf(src, "\t\tNumber00.MoreThan(%d),\n", 1000+round)
	}
	fmt.Fprint(src, "\t),\n})")
	if !h.alone {
		fmt.Fprint(src, ",")
	}
	fmt.Fprint(src, "\n")
}
