// Package registrytest builds registries at run time, for tests that want buckets of their own.
package registrytest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/internal/bucketgen/check"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Build returns the registry of definitions, by the same way as the generator.
func Build(t testing.TB, definitions ...bucket.Definition) *registry.Registry {
	t.Helper()
	r, err := Of(definitions...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Of is as Build, for processes that are no test.
func Of(definitions ...bucket.Definition) (*registry.Registry, error) {
	f, err := IR(definitions...)
	if err != nil {
		return nil, err
	}
	return OfIR(f)
}

// IR returns definitions in their intermediate form.
func IR(definitions ...bucket.Definition) (*ir.File, error) {
	dir, err := os.MkdirTemp("", "bucketgen-ir-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "ir.json")
	if err := bucket.WriteIR(file, bucket.Var{Name: "All", Value: definitions}); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ir.Decode(data)
}

// FromIR returns the registry of definitions in their intermediate form.
func FromIR(t testing.TB, f *ir.File) *registry.Registry {
	t.Helper()
	r, err := OfIR(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// OfIR is as FromIR, for cases that are no test of their own.
func OfIR(f *ir.File) (*registry.Registry, error) {
	if errs := check.Errors(check.Problems(f)); len(errs) > 0 {
		return nil, fmt.Errorf("the definitions are wrong: %v", errs)
	}
	return registry.New(plan.Build(f).Registry), nil
}

// Ref returns the ref of a bucket.
func Ref(t testing.TB, r *registry.Registry, id string) registry.Ref {
	t.Helper()
	return registry.NewRef(id, index(t, r, id))
}

// ManualRef returns the ref of a manual bucket.
func ManualRef(t testing.TB, r *registry.Registry, id string) registry.ManualRef {
	t.Helper()
	return registry.NewManualRef(id, index(t, r, id))
}

func index(t testing.TB, r *registry.Registry, id string) table.BucketIndex {
	t.Helper()
	b, known := r.Tables().Bucket(id)
	if !known {
		t.Fatalf("there is no bucket %q", id)
	}
	return b
}
