package archtest_test

import (
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tasks are the examples that show the tasks of README's table of commands, by the first word of
// the command: the folder of the example and its name.
var tasks = map[string][2]string{
	"add":          {"engine", "ExampleEngine_Add"},
	"backfill":     {"engine", "ExampleEngine_Deploy"},
	"backtest":     {"engine", "ExampleDeployments_BackTest"},
	"catalog":      {"engine", "ExampleEngine_Catalog"},
	"count":        {"engine", "ExampleEngine_MembersAt"},
	"deploy":       {"engine", "ExampleEngine_Deploy"},
	"deployments":  {"engine", "ExampleDeployments_List"},
	"dev":          {"engine/server", "ExampleMain"},
	"doctor":       {"engine/server", "ExampleRun_doctor"},
	"erase":        {"engine", "ExamplePeople_Erase"},
	"erasures":     {"engine", "ExamplePeople_Erase"},
	"explain":      {"engine", "ExampleEngine_Explain"},
	"export":       {"engine/server", "ExampleRun_export"},
	"history":      {"engine", "ExampleEngine_MembershipHistory"},
	"import":       {"engine/server", "ExampleRun_import"},
	"members":      {"engine", "ExampleEngine_Add"},
	"merge":        {"engine", "ExampleEngine_MergeTx"},
	"migrate":      {"engine/migrate", "ExampleUp"},
	"pause":        {"engine", "ExampleDeployments_Pause"},
	"plan":         {"engine", "ExampleEngine_Deploy"},
	"preview":      {"engine", "ExampleDeployments_Preview"},
	"reconcile":    {"engine", "ExampleDeployments_Reconcile"},
	"remove":       {"engine", "ExampleEngine_OnLeave"},
	"replay":       {"engine", "ExampleReplay_Events"},
	"resume":       {"engine", "ExampleDeployments_Pause"},
	"retire":       {"engine", "ExampleDeployments_Retire"},
	"serve":        {"engine/server", "ExampleMain"},
	"simulate":     {"engine/server", "ExampleRun_simulate"},
	"suppressions": {"engine", "ExamplePeople_Erase"},
	"webhooks":     {"engine/webhook", "Example"},
}

// commands finds the commands in the first cell of a row of README's table.
var commands = regexp.MustCompile("`(?:bucketd )?([a-z]+)[^`]*`")

// TestTasksHaveExamples checks that each task of README's table of commands has an example that
// exists.
func TestTasksHaveExamples(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := map[[2]string]bool{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			for _, name := range examplesOf(t, file) {
				examples[[2]string{path.Dir(file), name}] = true
			}
		}
	}
	var named []string
	for line := range strings.Lines(string(readme)) {
		if !strings.HasPrefix(line, "| `bucketd ") {
			continue
		}
		cell, _, _ := strings.Cut(line[1:], " | ")
		for _, found := range commands.FindAllStringSubmatch(cell, -1) {
			named = append(named, found[1])
		}
	}
	if len(named) < 20 {
		t.Fatalf("README's table names %d commands, want 20 or more", len(named))
	}
	for _, name := range named {
		if example, known := tasks[name]; !known || !examples[example] {
			t.Errorf("bucketd %s has no example: write one, and name it in tasks", name)
		}
	}
	for name := range tasks {
		if !slices.Contains(named, name) {
			t.Errorf("README's table has no bucketd %s", name)
		}
	}
}

// examplesOf returns the names of the examples in a file.
func examplesOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range declared(parsed) {
		if strings.HasPrefix(name, "Example") {
			names = append(names, name)
		}
	}
	return names
}
