package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

// operands are the arguments of a condition on a property, after the property.
func operands(n *table.Node) []jen.Code {
	switch n.Op {
	case table.OpExists:
		return nil
	case table.OpIs:
		return []jen.Code{value(n.Value)}
	case table.OpContains, table.OpHasPrefix, table.OpHasSuffix, table.OpMatches,
		table.OpIsFold, table.OpContainsFold, table.OpHasPrefixFold, table.OpHasSuffixFold:
		return []jen.Code{jen.Lit(n.Value.Text)}
	case table.OpIn, table.OpInFold, table.OpHasAny, table.OpHasAll:
		return texts(n.With.Texts)
	case table.OpInNumbers, table.OpBetween:
		return numbers(n.With.Numbers)
	case table.OpTimeBetween:
		return []jen.Code{instant(n.With.From.Time), instant(n.With.To.Time)}
	case table.OpBefore, table.OpAfter:
		return []jen.Code{instant(n.Value.Time)}
	case table.OpInTheLast, table.OpMoreThanAgo, table.OpInTheNext:
		return []jen.Code{dur(n.Span)}
	case table.OpToday, table.OpThisWeek, table.OpThisMonth:
		return []jen.Code{jen.Lit(n.With.Zone)}
	case table.OpLengthIs, table.OpLengthAtLeast, table.OpLengthAtMost:
		return []jen.Code{jen.Lit(n.Count)}
	case table.OpHasBeen:
		return []jen.Code{value(n.Value), dur(n.Span)}
	case table.OpChanged:
		return []jen.Code{value(n.With.From), value(n.With.To), dur(n.Span)}
	default: // the comparisons of numbers
		return []jen.Code{number(n.Value.Number)}
	}
}

// with is the optional part of a row of the table form.
func with(w *table.Operands) *jen.Statement {
	var fields []jen.Code
	if len(w.Texts) > 0 {
		fields = append(fields, field("Texts", jen.Index().String().Values(texts(w.Texts)...)))
	}
	if len(w.Numbers) > 0 {
		fields = append(fields, field("Numbers", jen.Index().Float64().Values(numbers(w.Numbers)...)))
	}
	if w.From.Exists() {
		fields = append(fields, field("From", value(w.From)))
	}
	if w.To.Exists() {
		fields = append(fields, field("To", value(w.To)))
	}
	if w.Zone != "" {
		fields = append(fields, field("Zone", jen.Lit(w.Zone)))
	}
	return jen.Op("&").Add(tbl("Operands")).Add(row(fields...))
}

func texts(of []string) []jen.Code {
	all := make([]jen.Code, len(of))
	for i, text := range of {
		all[i] = jen.Lit(text)
	}
	return all
}

func numbers(of []float64) []jen.Code {
	all := make([]jen.Code, len(of))
	for i, n := range of {
		all[i] = number(n)
	}
	return all
}
