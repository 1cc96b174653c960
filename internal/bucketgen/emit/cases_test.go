package emit_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	owngen "github.com/bucketgen/bucketgen/gen"
	"github.com/bucketgen/bucketgen/internal/bucketgen/load"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	events "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/events/want/gen"
	families "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/families/want/gen"
	members "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/members/want/gen"
	moments "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/moments/want/gen"
	operators "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/operators/want/gen"
	policies "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/policies/want/gen"
	properties "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/properties/want/gen"
	sequences "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/sequences/want/gen"
	texts "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/texts/want/gen"
	warnings "github.com/bucketgen/bucketgen/internal/bucketgen/testdata/warnings/want/gen"
	"github.com/bucketgen/bucketgen/registry/table"
)

// generated are all generated packages: those of the golden cases, and the one of this repository.
var generated = []struct {
	name        string
	definitions string
	registry    *table.Registry
}{
	{"own", "../../../buckets", owngen.Registry.Tables()},
	{"events", "../testdata/events/in", events.Registry.Tables()},
	{"families", "../testdata/families/in", families.Registry.Tables()},
	{"members", "../testdata/members/in", members.Registry.Tables()},
	{"moments", "../testdata/moments/in", moments.Registry.Tables()},
	{"operators", "../testdata/operators/in", operators.Registry.Tables()},
	{"policies", "../testdata/policies/in", policies.Registry.Tables()},
	{"properties", "../testdata/properties/in", properties.Registry.Tables()},
	{"sequences", "../testdata/sequences/in", sequences.Registry.Tables()},
	{"texts", "../testdata/texts/in", texts.Registry.Tables()},
	{"warnings", "../testdata/warnings/in", warnings.Registry.Tables()},
}

// TestEveryCase checks that no golden case is missing above.
func TestEveryCase(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../testdata/*/want/gen")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(generated)-1, len(dirs); got != want {
		t.Errorf("%d of %d golden cases are tested here", got, want)
	}
}

// planned returns the plan of the definitions in the directory.
func planned(t *testing.T, dir string) *plan.Plan {
	t.Helper()
	work, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := load.Load(t.Context(), load.Config{
		Dir: filepath.Join(work, dir), Out: filepath.Join(work, "none"), WorkDir: work, Timeout: time.Minute, Stderr: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Build(pkg.File)
}
