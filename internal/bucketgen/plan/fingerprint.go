package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/bucketgen/bucketgen/registry/table"
)

// fingerprint gives each bucket a hash of all that changes its members and announcements, and the
// registry a hash of all of those. Names, descriptions, positions and the order of the registry are
// not part of it.
func fingerprint(r *table.Registry) {
	all := sha256.New()
	for _, p := range r.Properties {
		writeProperty(all, &p)
		fmt.Fprintln(all)
	}
	for i := range r.Buckets {
		b := &r.Buckets[i]
		h := sha256.New()
		fmt.Fprintf(h, "kind %d disabled %t entry %d %d dwell %d %d clock %t\n",
			b.Kind, b.Disabled, b.EntryLimit, b.EntryPeriod, b.MinDwell, b.MaxDwell, !b.NoClockJoins)
		if b.Anonymous {
			fmt.Fprintln(h, "anonymous")
		}
		for _, t := range b.Ticks {
			fmt.Fprintf(h, "tick %s\n", t.Label)
		}
		for i, end := 0, 0; i < len(b.Criteria); i++ {
			n := &b.Criteria[i]
			if n.Op.IsSignal() {
				end = i + n.Size
			}
			writeNode(h, r, n, i < end)
		}
		b.Fingerprint = short(h)
		fmt.Fprintf(all, "bucket %s %s\n", b.ID, b.Fingerprint)
	}
	r.Fingerprint = short(all)
}

// writeNode writes a node. payload says whether its property is a field of an occurrence.
func writeNode(h hash.Hash, r *table.Registry, n *table.Node, payload bool) {
	fmt.Fprintf(h, "node %s %d", n.Op, n.Size)
	switch {
	case n.Op.IsSignal():
		fmt.Fprintf(h, " signal %q %d window %d %d %q", r.Signals[n.Signal].Key, n.Count, n.Window.Span, n.Window.Calendar, n.Window.Zone)
		if n.Window.Until != 0 {
			fmt.Fprintf(h, " until %d", n.Window.Until)
		}
		switch n.Op {
		case table.OpOnly:
			fmt.Fprintf(h, " not %q", r.Signals[n.Other].Key)
		case table.OpSum, table.OpAverage:
			fmt.Fprintf(h, " %d %s", n.Compare, n.Value)
		default:
		}
	case n.Op == table.OpInBucket:
		fmt.Fprintf(h, " bucket %q", r.Buckets[n.Bucket].ID)
	case n.Op == table.OpSample:
		fmt.Fprintf(h, " %v %q", n.With.Numbers, n.Value.Text)
	case n.Op.IsSequence():
		fmt.Fprintf(h, " sequence %q window %d", r.Sequences[n.Sequence].Key, n.Window.Span)
	case n.Op == table.OpAtLeastOf:
		fmt.Fprintf(h, " %d", n.Count)
	case n.Op.IsProperty():
		fmt.Fprint(h, " ")
		if payload {
			f := &r.Fields[n.Property]
			writeProperty(h, &table.Property{Name: f.Name, Path: f.Path, Type: f.Type})
		} else {
			writeProperty(h, &r.Properties[n.Property])
		}
		fmt.Fprintf(h, " %d %s %s", n.Span, n.Value.Kind, n.Value)
		writeOperands(h, n)
	}
	fmt.Fprintln(h)
}

func writeProperty(h hash.Hash, p *table.Property) {
	fmt.Fprintf(h, "property %q %s", p.Name, p.Type)
	if len(p.Path) > 0 {
		fmt.Fprintf(h, " at %q", p.Path)
	}
	if p.TraitsOnly {
		fmt.Fprint(h, " traits only")
	}
}

func writeOperands(h hash.Hash, n *table.Node) {
	if n.Count != 0 {
		fmt.Fprintf(h, " %d", n.Count)
	}
	if w := n.With; w != nil {
		fmt.Fprintf(h, " with %q %v %s %s %s %s %q", w.Texts, w.Numbers, w.From.Kind, w.From, w.To.Kind, w.To, w.Zone)
	}
}

func short(h hash.Hash) string {
	return hex.EncodeToString(h.Sum(nil)[:8])
}
