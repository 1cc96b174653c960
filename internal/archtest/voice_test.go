package archtest_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/voice.txt")

// allowances holds how many phrases each folder may still have. A folder that is not listed may
// have none.
const allowances = "testdata/voice.txt"

// phrases are the words that AGENTS.md asks to do without. Each has a plain word that says the
// same: poll, check, evaluate or open for look; notify, report or print for tell.
var phrases = regexp.MustCompile(`(?i)\b(` + strings.Join([]string{
	`whoever`, `somebody`, `(?-i:[Nn]obody)`, `anybody`, `of whom`, `(?:of which )?(?:is|are) to be`, `so many`,
	`let \w+ be`, `as ever`, `look(?:s|ed|ing)?(?: at| for| whether| through| into)`,
	`tells?`, `telling`, `told`, `standing`, `mend(?:s|ed|ing)?`,
}, "|") + `)\b`)

// exceptions are texts in which a file uses such a word as the name of a thing.
var exceptions = map[string]*regexp.Regexp{
	"engine/pooler_test.go":               regexp.MustCompile(`return "nobody"`),                              // the system user
	"engine/server/client/client_test.go": regexp.MustCompile(`looking for beginning of value`),               // of encoding/json
	"internal/archtest/homonyms_test.go":  regexp.MustCompile(`^var homonyms = .*`),                           // the list of such words
	"internal/postgres/process.go":        regexp.MustCompile(`"postgres", "nobody"|user postgres or nobody`), // the system user
}

// TestVoice counts the phrases of each folder in code, SQL, documents and scripts. A count may only
// go down; -update writes the present counts.
func TestVoice(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	found := map[string]int{}
	places := map[string][]string{}
	for _, file := range written(t, root) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if except := exceptions[file]; except != nil {
				line = except.ReplaceAll(line, nil)
			}
			for _, phrase := range phrases.FindAll(line, -1) {
				folder := path.Dir(file)
				found[folder]++
				places[folder] = append(places[folder], fmt.Sprintf("%s:%d: %s", file, i+1, phrase))
			}
		}
	}
	if *update {
		writeAllowances(t, found)
		return
	}
	allowed := readAllowances(t)
	for _, folder := range slices.Sorted(maps.Keys(found)) {
		if found[folder] > allowed[folder] {
			t.Errorf("%s has %d phrases that plain English does without, and may have %d:\n\t%s",
				folder, found[folder], allowed[folder], strings.Join(places[folder], "\n\t"))
		}
	}
}

// written lists the files that people write and read, by their path from root.
func written(t *testing.T, root string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list the files of the repository: %v", err)
	}
	var files []string
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		kinds := []string{".go", ".md", ".sql", ".txtar", ".ts", ".templ", ".mjs", ".js", ".html", ".css", ".yml"}
		generated := strings.HasSuffix(file, "_gen.go") || strings.HasPrefix(file, "gen/db/") || strings.HasSuffix(file, "_templ.go") ||
			strings.HasPrefix(file, "engine/studio/assets/") && path.Ext(file) == ".js" // built, or of others
		script := strings.HasPrefix(file, "scripts/") || path.Base(file) == "Makefile"
		if generated || file == "internal/archtest/voice_test.go" || file == "AGENTS.md" {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			continue // deleted, and not yet committed
		}
		if script || slices.Contains(kinds, path.Ext(file)) {
			files = append(files, file)
		}
	}
	return files
}

func readAllowances(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(allowances)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		folder, count, _ := strings.Cut(lines.Text(), " ")
		allowed[folder], err = strconv.Atoi(count)
		if err != nil {
			t.Fatalf("%s: %q: want a folder and a number", allowances, lines.Text())
		}
	}
	return allowed
}

func writeAllowances(t *testing.T, found map[string]int) {
	t.Helper()
	var text strings.Builder
	folders := slices.SortedFunc(maps.Keys(found), cmp.Compare[string])
	for _, folder := range folders {
		fmt.Fprintf(&text, "%s %d\n", folder, found[folder])
	}
	if err := os.WriteFile(allowances, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
