// Package archtest_test holds rules for this module's imports, documents and words that no linter
// checks.
package archtest_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "github.com/bucketgen/bucketgen"
	module = root + "/"
)

// TestImports checks all direct and indirect dependencies of a package, without those of its tests:
// they are linked into a host, and must be in order before the package compiles.
func TestImports(t *testing.T) {
	t.Parallel()
	packages := dependencies(t)
	for _, test := range []struct {
		name     string
		packages []string
		only     []string // allowed dependencies beside the standard library; nil for no limit
		never    []string // forbidden dependencies
		but      []string // exceptions to never
		why      string
	}{
		{
			name: "root", packages: []string{""}, only: []string{},
			why: "the domain types are a leaf that every package may import",
		},
		{
			name: "bucket", packages: []string{"bucket"}, only: []string{module + "internal/ir"},
			why: "definitions build in every host, with a missing or broken gen too",
		},
		{
			name: "buckets", packages: []string{"buckets"}, only: []string{module + "bucket", module + "internal/ir"},
			why: "what is generated from definitions cannot be needed to read them",
		},
		{
			name: "registry", packages: []string{"registry"}, only: []string{module + "registry/table"},
			why: "generated code brings nothing into a host",
		},
		{
			name: "table", packages: []string{"registry/table"}, only: []string{}, never: []string{module + "registry"}, but: []string{module + "registry/table"},
			why: "the tables know nothing of the refs that hosts use",
		},
		{
			name: "gen", packages: []string{"gen"}, only: []string{module + "registry", root},
			why: "generated code is data for the registry and makes events of the root package, and definitions build without it",
		},
		{
			name: "gen/db", packages: []string{"gen/db"}, only: []string{"github.com/jackc", "golang.org/x/text"},
			why: "queries need pgx, and pgx no more than this",
		},
		{
			name:     "engine",
			packages: []string{"engine", "engine/migrate", "internal/store", "internal/decide"},
			never: []string{
				module + "gen", module + "buckets", module + "bucket", module + "internal/bucketgen",
				"github.com/hatchet-dev/hatchet", "github.com/dave/jennifer",
			},
			but: []string{module + "gen/db"},
			why: "the engine runs the registry that a host hands in, and hosts without Hatchet do not get it",
		},
		{
			name: "engine/server", packages: []string{"engine/server"},
			never: []string{
				module + "gen", module + "buckets", module + "bucket", module + "internal/bucketgen",
				"github.com/hatchet-dev/hatchet", "github.com/dave/jennifer",
			},
			but: []string{module + "gen/db"},
			why: "as the engine",
		},
		{
			name: "client", packages: []string{"engine/server/client"}, only: []string{},
			why: "programs that call a server need nothing of it",
		},
		{
			name: "identity", packages: []string{"engine/identity"}, only: []string{},
			why: "a host's sign-in and the page import it, and need nothing else of the server",
		},
		{
			name: "engine/studio", packages: []string{"engine/studio"},
			only: []string{"github.com/a-h/templ", module + "engine/server/client", module + "engine/identity", module + "engine/studio"},
			why:  "the page is a client of the API like any other, and uses nothing private",
		},
		{
			name: "no huma in the engine", packages: []string{"engine", "engine/hatchet"}, never: []string{"github.com/danielgtaylor/huma"},
			why: "the engine knows nothing of HTTP",
		},
		{
			name: "no Hatchet unless asked for", packages: []string{"bucket", "registry", "gen", "engine", "engine/server", "engine/migrate", "cmd/bucketgen"},
			never: []string{"github.com/hatchet-dev", "google.golang.org/grpc", "github.com/rs/zerolog", module + "engine/hatchet", module + "engine/server/otlp"},
			why:   "hosts that do not import engine/hatchet or engine/server/otlp compile nothing of it, gRPC above all",
		},
		{
			name: "no OpenFeature unless asked for", packages: []string{"engine", "engine/server", "engine/lookup", "engine/hatchet"},
			never: []string{"github.com/open-feature", module + "engine/openfeature"},
			why:   "hosts that do not import engine/openfeature compile nothing of it",
		},
		{
			name: "engine/hatchet", packages: []string{"engine/hatchet"},
			never: []string{
				module + "gen", module + "buckets", module + "bucket", module + "internal/bucketgen", module + "engine/server",
				"github.com/hatchet-dev/hatchet/cmd", // the server
			},
			but: []string{module + "gen/db"},
			why: "as the engine; the server of Hatchet is for tests",
		},
		{
			name: "engine/webhook", packages: []string{"engine/webhook", "engine/mirror"},
			never: []string{
				module + "gen", module + "buckets", module + "bucket", module + "internal/bucketgen", module + "engine/server", module + "engine/hatchet",
				"github.com/hatchet-dev/hatchet", "github.com/dave/jennifer",
			},
			but: []string{module + "gen/db"},
			why: "as the engine; a program that posts needs no command line",
		},
		{
			name: "words", packages: []string{"internal/words"}, only: []string{module + "registry/table"},
			why: "engine and generator say things in the same words, and neither knows the other",
		},
		{
			name:     "parts of the engine",
			packages: []string{"internal/backtest", "internal/batch", "internal/catalog", "internal/audit", "internal/criteria", "internal/explain", "internal/feed", "internal/health", "internal/ingest", "internal/jobs", "internal/link", "internal/merge", "internal/metrics", "internal/outbox", "internal/replay", "internal/retry", "internal/rollout", "internal/rollup", "internal/scheduler", "internal/service", "internal/sizes", "internal/slots", "internal/transact"},
			never:    []string{module + "engine", module + "gen", module + "buckets", module + "bucket"},
			but:      []string{module + "gen/db"},
			why:      "a part of the engine is handed what it needs, and knows nothing of the engine",
		},
		{
			name: "decide", packages: []string{"internal/decide"}, never: []string{"github.com/jackc", "database/sql", module + "internal/store"},
			why: "decide is pure",
		},
		{
			name: "usercache", packages: []string{"internal/usercache"}, never: []string{"github.com/jackc", "database/sql", module + "internal/store"},
			why: "the cache protocol is a leaf: the store calls it, and knows the database",
		},
		{
			name: "pipeline", packages: []string{"internal/pipeline"}, only: []string{"github.com/jackc", "golang.org/x/text"},
			why: "a batch of statements knows nothing of users",
		},
		{
			name: "cmd/bucketgen", packages: []string{"cmd/bucketgen", "internal/bucketgen", "internal/bucketgen/scaffold"},
			never: []string{module + "engine", module + "gen", module + "buckets"},
			why:   "the generator must build with a missing or broken gen",
		},
		{
			name: "refeval", packages: []string{"internal/refeval"}, only: []string{module + "internal/ir"},
			why: "a reference that shares code with what it judges shares its mistakes",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range test.packages {
				deps, found := packages[strings.TrimSuffix(module+name, "/")]
				if !found {
					t.Errorf("there is no package %s", name)
				}
				for _, dep := range deps {
					limited := test.only != nil && !standard(dep) && !covers(dep, test.only)
					if !covers(dep, test.but) && (covers(dep, test.never) || limited) {
						t.Errorf("%s must not depend on %s: %s", name, dep, test.why)
					}
				}
			}
		})
	}
}

// covers reports whether a package is one of others or below one of them. The root package stands
// for itself only.
func covers(path string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool {
		return path == other || other != root && strings.HasPrefix(path, other+"/")
	})
}

// standard reports whether a package is of the standard library, where no path begins with a
// domain.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// dependencies returns all dependencies of each package of this module.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, module+"...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	packages := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages[fields[0]] = fields[1:]
	}
	return packages
}
