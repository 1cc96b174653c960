package table

import (
	"fmt"
	"strings"
)

// Flat returns the flat form of a registry as text, for the picture of
// docs/explanation/matching.md.
func (r *Registry) Flat() string {
	x := r.flat()
	var out strings.Builder
	out.WriteString("dictionaries: values become codes\n")
	for p := range r.Properties {
		d := &x.dictionaries[p]
		fmt.Fprintf(&out, "  %-10s", r.Properties[p].Name)
		for _, n := range d.numbers {
			fmt.Fprintf(&out, "  %d: %v", d.codeOfNumber(n), n)
		}
		for text := range d.words {
			fmt.Fprintf(&out, "  %d: %q", d.texts[d.words[text].Text], d.words[text].Text)
		}
		out.WriteString("\n")
	}
	out.WriteString("\ncompiled criteria: conditions become range tests\n")
	for b := range r.Buckets {
		c := &x.compiled[b]
		fmt.Fprintf(&out, "  %-10s%s", r.Buckets[b].ID, r.ranges(c.ranges[:]))
		for _, n := range c.counts {
			if n.atLeast > 0 {
				fmt.Fprintf(&out, "  at least %d events", n.atLeast)
			}
		}
		out.WriteString("\n")
	}
	out.WriteString("\npartitions: codes of guards become posting lists\n")
	for i := range x.partitions {
		p := &x.partitions[i]
		fmt.Fprintf(&out, "  %d  %05b", i, p.terms)
		for slot := uint32(0); slot <= p.last && int(p.first)+int(slot) < len(x.lists); slot++ {
			list := &x.lists[p.first+int32(slot)]
			for _, e := range x.entries[list.begin:list.end] {
				fmt.Fprintf(&out, "  %s: %s%s", r.term(list.term), r.Buckets[e.bucket].ID, r.ranges(e.ranges[:]))
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

func (r *Registry) ranges(tests []rangeTest) string {
	text := ""
	for _, t := range tests {
		if t != anyRange {
			text += fmt.Sprintf("  %s in [%d, %d]", r.Properties[t.property].Name, t.least, t.least+t.further)
		}
	}
	return text
}

func (r *Registry) term(s term) string {
	switch n := len(r.Properties); {
	case int(s) < n:
		return r.Properties[s].Name
	case int(s) < 2*n:
		return r.Properties[int(s)-n].Name + " again"
	default:
		return r.Events[int(s)-2*n].Name
	}
}
