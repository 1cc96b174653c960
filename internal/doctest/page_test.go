// Package doctest plays the documentation: its tests run, compile or parse every block of code.
package doctest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the directory of the repository.
const root = "../.."

// block is a fenced block of a page.
type block struct {
	page   string // by its path from root
	line   int    // of its first line of text
	lang   string
	file   string // the path that the block is written to: file=PATH behind the language
	record string // the picture of a terminal that -update draws of the last line: record=NAME behind the language
	shown  string // why the block is neither run nor compiled: shown: REASON behind the language
	stop   string // the beginning of a command of another terminal that is interrupted first
	text   string
}

var (
	named      = regexp.MustCompile(`\bfile=(\S+)`)
	recorded   = regexp.MustCompile(`\brecord=(\S+)`)
	onlyShown  = regexp.MustCompile(`\bshown: (.+)$`)
	interrupts = regexp.MustCompile(`^<!-- interrupt: (.+) -->$`)
)

// blocks returns the blocks of a page, in order.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var open *block
	stop := ""
	for i, line := range strings.Split(string(text), "\n") {
		if m := interrupts.FindStringSubmatch(line); m != nil && open == nil {
			stop = m[1]
		}
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case !fence && open != nil:
			open.text += line + "\n"
		case fence && open != nil:
			all = append(all, *open)
			open = nil
		case fence:
			open = &block{page: page, line: i + 2, stop: stop}
			open.lang, _, _ = strings.Cut(info, " ")
			open.file, open.record, open.shown = part(named, info), part(recorded, info), part(onlyShown, info)
			stop = ""
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block does not end", page, open.line)
	}
	return all
}

func part(pattern *regexp.Regexp, text string) string {
	if m := pattern.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// pages returns the pages of the documentation whose path begins so.
func pages(t *testing.T, beginnings ...string) []string {
	t.Helper()
	var found []string
	for _, beginning := range beginnings {
		before := len(found)
		err := filepath.WalkDir(filepath.Join(root, beginning), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
				path, err = filepath.Rel(root, path)
				found = append(found, filepath.ToSlash(path))
			}
			return err
		})
		if err != nil || len(found) == before {
			t.Fatalf("no pages in %s: %v", beginning, err)
		}
	}
	return found
}

// section returns the blocks below a heading, up to the next one of its level.
func section(t *testing.T, page, heading string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", page, heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	inside, _, _ := strings.Cut(after, "\n"+level+" ")
	first := strings.Count(before, "\n") + 2
	last := first + strings.Count(inside, "\n")
	var some []block
	for _, b := range blocks(t, page) {
		if b.line >= first && b.line <= last {
			some = append(some, b)
		}
	}
	return some
}

// lines returns the lines of a block of sh, without comments. A line that ends in a backslash goes
// on with the next.
func (b *block) lines() []string {
	var all []string
	line := ""
	for text := range strings.Lines(b.text) {
		text = remark.ReplaceAllString(strings.TrimSpace(text), "")
		if more, on := strings.CutSuffix(text, `\`); on {
			line += more
			continue
		}
		if line += text; line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
		line = ""
	}
	return all
}

var remark = regexp.MustCompile(`(\s{2,}|^)#.*$`)
