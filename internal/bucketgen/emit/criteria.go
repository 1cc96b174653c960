package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry"
)

// opNames are the names of the methods of registry.Facts, or functions of package registry, that answer a node. With
// "Op" before it each is the name of the operation.
var opNames = [...]string{
	registry.OpAll: "All", registry.OpAny: "Any", registry.OpNot: "Not", registry.OpAtLeastOf: "AtLeastOf",
	registry.OpSince: "Since", registry.OpUntil: "Until",
	registry.OpInBucket: "InBucket",
	registry.OpExists:   "Exists", registry.OpIs: "Is",
	registry.OpMoreThan: "MoreThan", registry.OpNotLess: "NotLess",
	registry.OpLessThan: "LessThan", registry.OpNotMore: "NotMore",
	registry.OpContains: "Contains",
	registry.OpBefore:   "Before", registry.OpAfter: "After",
	registry.OpInTheLast: "InTheLast", registry.OpMoreThanAgo: "MoreThanAgo", registry.OpInTheNext: "InTheNext",
	registry.OpIn: "In", registry.OpInNumbers: "InNumbers", registry.OpBetween: "Between", registry.OpTimeBetween: "TimeBetween",
	registry.OpHasPrefix: "HasPrefix", registry.OpHasSuffix: "HasSuffix", registry.OpMatches: "Matches",
	registry.OpIsFold: "IsFold", registry.OpInFold: "InFold", registry.OpContainsFold: "ContainsFold",
	registry.OpHasPrefixFold: "HasPrefixFold", registry.OpHasSuffixFold: "HasSuffixFold",
	registry.OpToday: "Today", registry.OpThisWeek: "ThisWeek", registry.OpThisMonth: "ThisMonth",
	registry.OpHasAny: "HasAny", registry.OpHasAll: "HasAll",
	registry.OpLengthIs: "LengthIs", registry.OpLengthAtLeast: "LengthAtLeast", registry.OpLengthAtMost: "LengthAtMost",
	registry.OpHasBeen: "HasBeen", registry.OpChanged: "Changed",
	registry.OpAtLeast: "AtLeast", registry.OpAtMost: "AtMost", registry.OpExactly: "Exactly",
	registry.OpSample: "Sample",
	registry.OpFirst:  "First", registry.OpLast: "Last",
	registry.OpFirstWithin: "FirstWithin", registry.OpOnly: "Only", registry.OpSum: "Sum", registry.OpAverage: "Average",
	registry.OpCompleted: "Completed", registry.OpUnanswered: "Unanswered",
}

// criteria prints each criteria twice: as a function, where the plan has those, and as the table that says the same.
func (e *emitter) criteria(f *jen.File) {
	for i := range e.reg.Buckets {
		b, nodes := registry.Index(i), e.reg.Buckets[i].Criteria
		if len(nodes) == 0 {
			continue
		}
		if e.plan.Functions {
			f.Line().Comment(lines(e.function(b) + " answers whether a user belongs to " + e.reg.Buckets[i].ID + "."))
			f.Func().Id(e.function(b)).Params(jen.Id("f").Op("*").Add(reg("Facts"))).Add(reg("Verdict")).
				Block(jen.Return(e.condition(nodes, jen.Id("f"), e.property)))
		}
		f.Line().Var().Id(e.nodes(b)).Op("=").Add(e.table(nodes, e.property))
	}
}

// table is nodes as rows. property names the rows that those of its conditions which ask about one refer to.
func (e *emitter) table(nodes []registry.Node, property func(registry.Property) string) *jen.Statement {
	rows := make([]jen.Code, len(nodes))
	for i := 0; i < len(nodes); i++ {
		rows[i] = e.node(&nodes[i], property)
		if !nodes[i].Op.IsSignal() {
			continue
		}
		for of := i + nodes[i].Size - 1; i < of; { // what is asked of a single occurrence
			i++
			rows[i] = e.node(&nodes[i], e.payload)
		}
	}
	return slice("Node", block(rows...))
}

// payload names the row of a field that a condition on a single occurrence asks about.
func (e *emitter) payload(p registry.Property) string { return e.field(p) }

// condition is the expression that answers the first of the nodes, on facts that an expression gives.
func (e *emitter) condition(nodes []registry.Node, facts *jen.Statement, property func(registry.Property) string) *jen.Statement {
	n := &nodes[0]
	if n.Op.Combines() {
		var children []jen.Code
		if n.Op == registry.OpAtLeastOf {
			children = append(children, jen.Lit(n.Count))
		}
		for i := 1; i < n.Size; i += nodes[i].Size {
			children = append(children, e.condition(nodes[i:], facts, property))
		}
		if len(children) < 2 {
			return reg(opNames[n.Op]).Call(children...)
		}
		return reg(opNames[n.Op]).Add(arguments(children...))
	}
	ask := facts.Clone().Dot(opNames[n.Op])
	switch {
	case n.Op == registry.OpFirst || n.Op == registry.OpLast:
		return e.condition(nodes[1:n.Size], ask.Call(jen.Id(e.signal(n.Signal))), e.payload)
	case n.Op.IsSignal():
		return ask.Call(e.question(n)...)
	case n.Op.IsSequence():
		return ask.Call(jen.Id(e.sequence(n.Sequence)), window(n.Window))
	case n.Op == registry.OpInBucket:
		return ask.Call(jen.Id(e.idx(n.Bucket)))
	case n.Op == registry.OpSample:
		return ask.Call(number(n.With.Numbers[0]), jen.Lit(n.Value.Text))
	}
	return ask.Call(append([]jen.Code{jen.Id(property(n.Property))}, operands(n)...)...)
}

// node is a row of the table form of a criteria.
func (e *emitter) node(n *registry.Node, property func(registry.Property) string) jen.Code {
	fields := []jen.Code{field("Op", reg("Op"+opNames[n.Op])), field("Size", jen.Lit(n.Size))}
	switch {
	case n.Op.IsSignal():
		fields = append(fields, field("Signal", jen.Id(e.signal(n.Signal))))
		switch n.Op {
		case registry.OpOnly:
			fields = append(fields, field("Other", jen.Id(e.signal(n.Other))))
		case registry.OpAtLeast, registry.OpAtMost, registry.OpExactly:
			fields = append(fields, field("Count", jen.Lit(n.Count)))
		case registry.OpSum, registry.OpAverage:
			fields = append(fields, field("Compare", reg(compareNames[n.Compare])))
		default:
		}
		if n.Window != registry.Ever {
			fields = append(fields, field("Window", windowRow(n.Window)))
		}
	case n.Op == registry.OpInBucket:
		fields = append(fields, field("Bucket", jen.Id(e.idx(n.Bucket))))
	case n.Op.IsSequence():
		fields = append(fields, field("Sequence", jen.Id(e.sequence(n.Sequence))))
		if n.Window != registry.Ever {
			fields = append(fields, field("Window", windowRow(n.Window)))
		}
	case n.Op == registry.OpAtLeastOf:
		fields = append(fields, field("Count", jen.Lit(n.Count)))
	case n.Op.IsProperty():
		fields = append(fields, field("Property", jen.Id(property(n.Property))))
		if n.Count != 0 {
			fields = append(fields, field("Count", jen.Lit(n.Count)))
		}
	}
	if n.Span != 0 {
		fields = append(fields, field("Span", dur(n.Span)))
	}
	if n.Value.Kind != registry.Missing {
		fields = append(fields, field("Value", value(n.Value)))
	}
	if n.With != nil {
		fields = append(fields, field("With", with(n.With)))
	}
	return row(fields...)
}
