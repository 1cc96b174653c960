package view

import (
	"strings"
	"testing"
)

// TestChanged compares definitions, and shows them as trees.
func TestChanged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		was, is []string
		want    string
	}{
		"same":    {[]string{"all of:", "  a", "  b"}, []string{"all of:", "  a", "  b"}, "all of:(a b)"},
		"number":  {[]string{"all of:", "  a 3", "  b"}, []string{"all of:", "  a 4", "  b"}, "all of:(-a 3 +a 4 b)"},
		"deeper":  {[]string{"a"}, []string{"any of:", "  all of:", "    b", "    c", "  a", "policy"}, "-a +any of:(+all of:(+b +c) +a) +policy"},
		"shorter": {[]string{"a", "b", "c"}, []string{"a", "c"}, "a -b c"},
		"new":     {nil, []string{"a"}, "+a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := text(nested(changed(test.was, test.is))); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func text(all []branch) string {
	words := make([]string, len(all))
	for i, b := range all {
		words[i] = map[string]string{"ins": "+", "del": "-"}[b.mark] + b.text
		if len(b.parts) > 0 {
			words[i] += "(" + text(b.parts) + ")"
		}
	}
	return strings.Join(words, " ")
}
