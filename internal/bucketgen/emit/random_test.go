package emit_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/emit"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/refeval/draw"
	"github.com/bucketgen/bucketgen/registry/table"
)

var randomSeed = flag.Int("random.seed", 0, "the seed of the random definitions that are generated and run; 0 for any")

// randomCase holds the facts of a user, at an instant.
type randomCase struct {
	known      *refeval.Facts
	properties []byte
	now        time.Time
}

// TestRandomDefinitions generates code from random definitions, compiles and runs it, and compares
// its functions and tables with the reference on random facts. It writes nothing to the source
// tree.
func TestRandomDefinitions(t *testing.T) {
	t.Parallel()
	const definitions, cases = 300, 120
	seed := *randomSeed
	if seed == 0 {
		seed = rand.IntN(1 << 31)
	}
	f := &ir.File{}
	criteria := rapid.Custom(func(t *rapid.T) *ir.Node { return draw.Criteria(t, 3) })
	for i := range definitions {
		f.Definitions = append(f.Definitions, ir.Definition{
			ID: fmt.Sprintf("b%03d", i), Kind: ir.Dynamic, Criteria: criteria.Example(seed + i),
		})
	}
	f.Definitions[0].ID, f.Definitions[1].ID = "a", "b" // whose members are drawn
	for i := 2; i < definitions; i++ {
		if i%3 == 0 {
			f.Definitions[i] = rapid.Custom(func(t *rapid.T) ir.Definition {
				d := f.Definitions[i]
				draw.AskAbout(t, &d, f.Definitions[:2])
				return d
			}).Example(seed + i)
		}
	}
	facts := rapid.Custom(func(t *rapid.T) randomCase {
		known, properties := draw.Facts(t, draw.Start)
		return randomCase{known, properties, draw.Clock(t, draw.Start)}
	})
	all := make([]randomCase, cases)
	for i := range all {
		all[i] = facts.Example(seed + i)
	}
	wrong := 0
	for i, answer := range ask(t, f, all) {
		for b := range f.Definitions {
			n := f.Definitions[b].Criteria
			want := table.Verdict{True: refeval.Holds(n, all[i].known, all[i].now), Until: horizon(n, &all[i])}
			for by, got := range map[string]table.Verdict{"function": answer.Functions[b], "table": answer.Tables[b]} {
				if got == want {
					continue
				}
				if wrong++; wrong < 5 {
					t.Errorf("-random.seed=%d: the %s says %v, the reference %v\n%s\nat %s\nevents %v\nproperties %s\nchanges %v", seed,
						by, got, want, refeval.DescribeNode(n), all[i].now, all[i].known.Events, all[i].properties, all[i].known.Changes)
				}
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d verdicts are wrong", wrong, 2*cases*definitions)
	}
}

func horizon(n *ir.Node, c *randomCase) table.Instant {
	until := refeval.Until(n, c.known, c.now)
	if until.Equal(refeval.Never) {
		return table.Never
	}
	return table.At(until)
}

// answer is the result of generated code for one case.
type answer struct {
	Functions, Tables []table.Verdict
}

// ask generates a package, builds the program of testdata/random on top of it, and runs that on the
// cases.
func ask(t *testing.T, f *ir.File, cases []randomCase) []answer {
	t.Helper()
	files, err := emit.Files(plan.Build(f), "gen", "example.com/random")
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	replace := map[string]string{filepath.Join(here, "random", "main.go"): filepath.Join(here, "testdata", "random", "main.go")}
	for name, source := range files {
		replace[filepath.Join(here, "random", "gen", name)] = filepath.Join(temp, name)
		writeFile(t, filepath.Join(temp, name), source)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(temp, "overlay.json"), overlay)
	program := filepath.Join(temp, "random.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "-overlay", filepath.Join(temp, "overlay.json"), "-buildvcs=false", "-ldflags=-w", "./random")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build what was generated: %v\n%s", err, out)
	}
	var stdout, stderr bytes.Buffer
	run := exec.CommandContext(t.Context(), program)
	run.Stdin, run.Stdout, run.Stderr = bytes.NewReader(input(t, cases)), &stdout, &stderr
	if err := run.Run(); err != nil {
		t.Fatalf("run what was generated: %v\n%s", err, &stderr)
	}
	var answers []answer
	if err := json.Unmarshal(stdout.Bytes(), &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// input writes cases as the program reads them.
func input(t *testing.T, cases []randomCase) []byte {
	t.Helper()
	type (
		change struct {
			Was any
			At  table.Instant
		}
		event struct {
			Name       string
			At         table.Instant
			Properties map[string]any
		}
		one struct {
			User       string
			Now        table.Instant
			Properties json.RawMessage
			Changes    map[string]change
			Events     []event
			Members    map[string]bool
			Due        map[string]table.Instant
		}
	)
	all := make([]one, len(cases))
	for i, c := range cases {
		all[i] = one{User: c.known.User, Now: table.At(c.now), Properties: c.properties, Changes: map[string]change{}, Members: c.known.Members, Due: map[string]table.Instant{}}
		for bucket, at := range c.known.Due {
			all[i].Due[bucket] = table.At(at)
		}
		for name, ch := range c.known.Changes {
			all[i].Changes[name] = change{ch.Was, table.At(ch.At)}
		}
		for _, ev := range c.known.Events {
			all[i].Events = append(all[i].Events, event{ev.Name, table.At(ev.At), ev.Properties})
		}
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
