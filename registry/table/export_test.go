package table

import (
	"fmt"
	"slices"
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

// Search returns what each step of a search leaves, as text, for the picture of
// docs/explanation/matching.md.
func (r *Registry) Search(c Change, f *Facts, memberOf []BucketIndex) string {
	x, s := r.flat(), newCandidateSet(len(r.Buckets), len(r.Properties))
	q := &s.query
	q.begin(r, c)
	var out strings.Builder
	out.WriteString("step 1: the query\n  terms")
	for _, asked := range q.terms {
		fmt.Fprintf(&out, "  %d %s", asked, r.term(asked))
	}
	fmt.Fprintf(&out, "\n  bits   %05b\n\nstep 2: partitions with a bit in common\n", q.bits)
	found := 0
	open := func(partition int32, terms uint64) {
		from := found
		if found = q.pair(found, partition, terms); found == from {
			return
		}
		fmt.Fprintf(&out, "  %d  %05b and %05b = %05b  pairs", partition, terms, q.bits, terms&q.bits)
		for _, p := range q.pairs[from:found] {
			fmt.Fprintf(&out, "  (%d, %s)", p.partition, r.term(p.term))
		}
		out.WriteString("\n")
	}
	open(always, x.partitions[always].terms)
	for g, terms := range f.asked {
		open(x.guards[g].first+f.codes[x.guards[g].property], terms)
	}
	out.WriteString("\nstep 3: entries of posting lists whose range tests pass, for the codes")
	for p := range r.Properties {
		fmt.Fprintf(&out, "  %s %d", r.Properties[p].Name, f.codes[p])
	}
	out.WriteString("\n")
	for _, p := range q.pairs[:found] {
		list := x.list(&x.partitions[p.partition], p.term)
		for _, e := range x.entries[list.begin:list.end] {
			fmt.Fprintf(&out, "  (%d, %s)  %s", p.partition, r.term(p.term), r.Buckets[e.bucket].ID)
			for _, test := range e.ranges {
				if test != anyRange {
					fmt.Fprintf(&out, "%s: %s", r.ranges([]rangeTest{test}), [2]string{"fail", "pass"}[test.holds(f.codes)])
				}
			}
			if slices.Contains(memberOf, e.bucket) {
				out.WriteString("  and the user is a member")
			}
			out.WriteString("\n")
		}
	}
	q.end(c)
	out.WriteString("\ncandidates\n")
	for _, b := range r.Candidates(nil, c, f, memberOf) {
		fmt.Fprintf(&out, "  %s\n", r.Buckets[b].ID)
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
