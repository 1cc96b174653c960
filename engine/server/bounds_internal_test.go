package server

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/httpapi"
)

// TestBoundsAreDocumented compares the tables of bounds with the code: each setting of HTTP stands
// in both with its default, and each setting of engine.Config in a table has the default that its
// comment says.
func TestBoundsAreDocumented(t *testing.T) {
	t.Parallel()
	rows := map[string][]string{
		"docs/reference/security.md": rowsOf(t, "docs/reference/security.md", "\n## Bounds\n"),
		"docs/reference/http.md":     rowsOf(t, "docs/reference/http.md", "\n## Limits\n"),
	}
	defaults := reflect.ValueOf(httpapi.Config(HTTP{}).WithDefaults())
	for field, value := range defaults.Fields() {
		if kind := field.Type.Kind(); kind != reflect.Int && kind != reflect.Int64 { // it is no bound
			continue
		}
		for page, rows := range rows {
			row := rowOf(rows, "`"+field.Name+"`")
			if !slices.ContainsFunc(written(value), func(text string) bool { return has(row, text) }) {
				t.Errorf("%s: the row of HTTP.%s is %q, want one that says %q", page, field.Name, row, written(value))
			}
		}
	}
	source := strings.ReplaceAll(read(t, "engine/config.go"), "\n\t// ", " ") // each comment on a line
	for _, row := range rows["docs/reference/security.md"] {
		_, settings, of := strings.Cut(row, "`engine.Config.")
		if !of {
			continue
		}
		for name := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(strings.Trim(settings, "| ")), "`"), "`, `") {
			comment := regexp.MustCompile(`[/ ]` + name + ` [^\n]*Defaults to ([^\n]*)\.\n\t` + name + ` `).FindStringSubmatch(source)
			switch {
			case comment == nil:
				t.Errorf("docs/reference/security.md names engine.Config.%s, which has no comment with its default", name)
			case !has(row, comment[1]):
				t.Errorf("docs/reference/security.md: the row of engine.Config.%s is %q, want one that says %q", name, row, comment[1])
			}
		}
	}
}

// rowsOf returns the rows of the table below a heading of a page.
func rowsOf(t *testing.T, page, heading string) []string {
	t.Helper()
	_, section, found := strings.Cut(read(t, page), heading)
	if !found {
		t.Fatalf("%s has no %q", page, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return slices.DeleteFunc(strings.Split(section, "\n"), func(line string) bool { return !strings.HasPrefix(line, "|") })
}

func rowOf(rows []string, part string) string {
	for _, row := range rows {
		if strings.Contains(row, part) {
			return row
		}
	}
	return ""
}

// written is how a default may be written in a page.
func written(value reflect.Value) []string {
	if d, is := reflect.TypeAssert[time.Duration](value); is {
		if d < time.Second {
			return []string{fmt.Sprintf("%d ms", d/time.Millisecond)}
		}
		return []string{fmt.Sprintf("%d s", d/time.Second)}
	}
	n := int(value.Int())
	digits := strconv.Itoa(n)
	if n >= 1000 {
		digits = strconv.Itoa(n/1000) + fmt.Sprintf(",%03d", n%1000)
	}
	all := []string{digits}
	if n%(1<<20) == 0 {
		all = append(all, fmt.Sprintf("%d MB", n>>20))
	}
	if n%(1<<10) == 0 {
		all = append(all, fmt.Sprintf("%d KB", n>>10))
	}
	return all
}

// has reports whether a row says a number, and not as a part of another one.
func has(row, number string) bool {
	return regexp.MustCompile(`(^|[^\d,.])` + regexp.QuoteMeta(number) + `($|[^\d,]|,\D)`).MatchString(row)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
