package emit_test

import (
	"go/format"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/bucketgen/emit"
	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/ir"
)

// TestAnyText checks that any text in comments and strings gives Go that gofmt leaves unchanged,
// and the same Go every time.
func TestAnyText(t *testing.T) {
	t.Parallel()
	text := rapid.Custom(func(t *rapid.T) string {
		piece := rapid.OneOf(rapid.SampledFrom([]string{
			"\n", "\n\n", "\t", "  ", " - ", "  1. ", "# ", "*/", "/*", "//", "//go:embed x", "`", `"`, "\\", "\x00", "\ufeff", "\u2028",
			"[Link]", "[a]: http://b", "Deprecated: no.", "BUG(x): y", "+build x", "Word", "Word.", "日本", "\xff",
		}), rapid.String())
		return strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		str := text.Draw(t, "operand")
		event, field := text.Draw(t, "event"), text.Draw(t, "field")
		f := &ir.File{
			Events: []ir.Event{{GoName: "Visit", Name: event, Doc: clean(text.Draw(t, "event doc"))}},
			Fields: []ir.Field{
				{GoName: "Page", Event: event, Name: field, Type: ir.Text, Doc: clean(text.Draw(t, "field doc"))},
				{Event: event, Name: field, Path: []string{text.Draw(t, "key")}, Type: ir.Time},
			},
			Properties: []ir.Property{{GoName: "Plan", Name: text.Draw(t, "property"), Type: ir.Text, Doc: clean(text.Draw(t, "property doc"))}},
			Definitions: []ir.Definition{{
				ID: "a", Kind: ir.Dynamic, Name: text.Draw(t, "name"), Description: text.Draw(t, "description"), Doc: clean(text.Draw(t, "doc")),
				Criteria: &ir.Node{Op: ir.OpAll, Children: []*ir.Node{
					{Op: ir.OpProperty, Property: &ir.PropertyCheck{Name: text.Draw(t, "other property"), Type: ir.Text, Operator: ir.Contains, Value: &ir.Value{Text: &str}}},
					{Op: ir.OpEvent, Event: &ir.EventCheck{Name: event, Operator: ir.Gte, Count: 1}},
				}},
			}},
		}
		files, err := emit.Files(plan.Build(f), "gen", "example.com/buckets")
		if err != nil {
			t.Fatal(err)
		}
		again, _ := emit.Files(plan.Build(f), "gen", "example.com/buckets")
		if d := cmp.Diff(files, again); d != "" {
			t.Errorf("the same definitions gave other bytes:\n%s", d)
		}
		for name, src := range files {
			formatted, err := format.Source(src)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(src), string(formatted)); d != "" {
				t.Errorf("gofmt changes %s:\n%s", name, d)
			}
		}
	})
}

// clean makes a text one that can be the comment of a variable: what no Go file contains is not in
// its comments.
func clean(doc string) string {
	return strings.NewReplacer("\x00", "", "\ufeff", "", "\r", "").Replace(strings.ToValidUTF8(doc, ""))
}
