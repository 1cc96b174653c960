package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

// opNames are the names of the methods of table.Facts, or functions of package table, that evaluate
// a node. With "Op" before it each is the name of the operation.
var opNames = [...]string{
	table.OpAll: "All", table.OpAny: "Any", table.OpNot: "Not", table.OpAtLeastOf: "AtLeastOf",
	table.OpSince: "Since", table.OpUntil: "Until",
	table.OpInBucket: "InBucket",
	table.OpExists:   "Exists", table.OpIs: "Is",
	table.OpMoreThan: "MoreThan", table.OpNotLess: "NotLess",
	table.OpLessThan: "LessThan", table.OpNotMore: "NotMore",
	table.OpContains: "Contains",
	table.OpBefore:   "Before", table.OpAfter: "After",
	table.OpInTheLast: "InTheLast", table.OpMoreThanAgo: "MoreThanAgo", table.OpInTheNext: "InTheNext",
	table.OpIn: "In", table.OpInNumbers: "InNumbers", table.OpBetween: "Between", table.OpTimeBetween: "TimeBetween",
	table.OpHasPrefix: "HasPrefix", table.OpHasSuffix: "HasSuffix", table.OpMatches: "Matches",
	table.OpIsFold: "IsFold", table.OpInFold: "InFold", table.OpContainsFold: "ContainsFold",
	table.OpHasPrefixFold: "HasPrefixFold", table.OpHasSuffixFold: "HasSuffixFold",
	table.OpToday: "Today", table.OpThisWeek: "ThisWeek", table.OpThisMonth: "ThisMonth",
	table.OpHasAny: "HasAny", table.OpHasAll: "HasAll",
	table.OpLengthIs: "LengthIs", table.OpLengthAtLeast: "LengthAtLeast", table.OpLengthAtMost: "LengthAtMost",
	table.OpHasBeen: "HasBeen", table.OpChanged: "Changed",
	table.OpAtLeast: "AtLeast", table.OpAtMost: "AtMost", table.OpExactly: "Exactly",
	table.OpSample: "Sample",
	table.OpFirst:  "First", table.OpLast: "Last",
	table.OpFirstWithin: "FirstWithin", table.OpOnly: "Only", table.OpSum: "Sum", table.OpAverage: "Average",
	table.OpCompleted: "Completed", table.OpUnanswered: "Unanswered",
}

// criteria prints each criteria twice: as a function, if the plan has functions, and as the
// equivalent table.
func (e *emitter) criteria(f *jen.File) {
	if e.plan.Functions {
		f.Comment(lines("The functions are for readers and evaluate; the tables are the same criteria as data for\n" +
			"indexing, explanations and plans."))
	}
	for i := range e.reg.Buckets {
		b, nodes := table.BucketIndex(i), e.reg.Buckets[i].Criteria
		if len(nodes) == 0 {
			continue
		}
		if e.plan.Functions {
			f.Line().Comment(lines(e.function(b) + " reports whether a user belongs to " + e.reg.Buckets[i].ID + "."))
			f.Func().Id(e.function(b)).Params(jen.Id("f").Op("*").Add(tbl("Facts"))).Add(tbl("Verdict")).
				Block(jen.Return(e.condition(nodes, jen.Id("f"), e.property)))
		}
		f.Line().Var().Id(e.nodes(b)).Op("=").Add(e.table(nodes, e.property))
	}
}

// table prints nodes as rows. property names the rows of properties that conditions refer to.
func (e *emitter) table(nodes []table.Node, property func(table.PropertyIndex) string) *jen.Statement {
	rows := make([]jen.Code, len(nodes))
	for i := 0; i < len(nodes); i++ {
		rows[i] = e.node(&nodes[i], property)
		if !nodes[i].Op.IsSignal() {
			continue
		}
		for of := i + nodes[i].Size - 1; i < of; { // conditions on a single occurrence
			i++
			rows[i] = e.node(&nodes[i], e.payload)
		}
	}
	return slice("Node", block(rows...))
}

// payload names the row of a field that a condition on a single occurrence refers to.
func (e *emitter) payload(p table.PropertyIndex) string { return e.field(p) }

// condition is the expression that evaluates the first of the nodes, on the given facts.
func (e *emitter) condition(nodes []table.Node, facts *jen.Statement, property func(table.PropertyIndex) string) *jen.Statement {
	n := &nodes[0]
	if n.Op.Combines() {
		var children []jen.Code
		if n.Op == table.OpAtLeastOf {
			children = append(children, jen.Lit(n.Count))
		}
		for i := 1; i < n.Size; i += nodes[i].Size {
			children = append(children, e.condition(nodes[i:], facts, property))
		}
		if len(children) < 2 {
			return tbl(opNames[n.Op]).Call(children...)
		}
		return tbl(opNames[n.Op]).Add(arguments(children...))
	}
	ask := facts.Clone().Dot(opNames[n.Op])
	switch {
	case n.Op == table.OpFirst || n.Op == table.OpLast:
		return e.condition(nodes[1:n.Size], ask.Call(jen.Id(e.signal(n.Signal))), e.payload)
	case n.Op.IsSignal():
		return ask.Call(e.question(n)...)
	case n.Op.IsSequence():
		return ask.Call(jen.Id(e.sequence(n.Sequence)), window(n.Window))
	case n.Op == table.OpInBucket:
		return ask.Call(jen.Id(e.idx(n.Bucket)))
	case n.Op == table.OpSample:
		return ask.Call(number(n.With.Numbers[0]), jen.Lit(n.Value.Text))
	}
	return ask.Call(append([]jen.Code{jen.Id(property(n.Property))}, operands(n)...)...)
}

// node is a row of the table form of a criteria.
func (e *emitter) node(n *table.Node, property func(table.PropertyIndex) string) jen.Code {
	fields := []jen.Code{field("Op", tbl("Op"+opNames[n.Op])), field("Size", jen.Lit(n.Size))}
	switch {
	case n.Op.IsSignal():
		fields = append(fields, field("Signal", jen.Id(e.signal(n.Signal))))
		switch n.Op {
		case table.OpOnly:
			fields = append(fields, field("Other", jen.Id(e.signal(n.Other))))
		case table.OpAtLeast, table.OpAtMost, table.OpExactly:
			fields = append(fields, field("Count", jen.Lit(n.Count)))
		case table.OpSum, table.OpAverage:
			fields = append(fields, field("Compare", tbl(compareNames[n.Compare])))
		default:
		}
		if n.Window != table.Ever {
			fields = append(fields, field("Window", window(n.Window)))
		}
	case n.Op == table.OpInBucket:
		fields = append(fields, field("Bucket", jen.Id(e.idx(n.Bucket))))
	case n.Op.IsSequence():
		fields = append(fields, field("Sequence", jen.Id(e.sequence(n.Sequence))))
		if n.Window != table.Ever {
			fields = append(fields, field("Window", window(n.Window)))
		}
	case n.Op == table.OpAtLeastOf:
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
	if n.Value.Kind != table.Missing {
		fields = append(fields, field("Value", value(n.Value)))
	}
	if n.With != nil {
		fields = append(fields, field("With", with(n.With)))
	}
	return row(fields...)
}
