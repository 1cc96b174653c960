package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry"
)

// operands are the arguments of a question about a property, after the property.
func operands(n *registry.Node) []jen.Code {
	switch n.Op {
	case registry.OpExists:
		return nil
	case registry.OpIs:
		return []jen.Code{value(n.Value)}
	case registry.OpContains, registry.OpHasPrefix, registry.OpHasSuffix, registry.OpMatches,
		registry.OpIsFold, registry.OpContainsFold, registry.OpHasPrefixFold, registry.OpHasSuffixFold:
		return []jen.Code{jen.Lit(n.Value.Text)}
	case registry.OpIn, registry.OpInFold, registry.OpHasAny, registry.OpHasAll:
		return texts(n.With.Texts)
	case registry.OpInNumbers, registry.OpBetween:
		return numbers(n.With.Numbers)
	case registry.OpTimeBetween:
		return []jen.Code{instant(n.With.From.Time), instant(n.With.To.Time)}
	case registry.OpBefore, registry.OpAfter:
		return []jen.Code{instant(n.Value.Time)}
	case registry.OpInTheLast, registry.OpMoreThanAgo, registry.OpInTheNext:
		return []jen.Code{dur(n.Span)}
	case registry.OpToday, registry.OpThisWeek, registry.OpThisMonth:
		return []jen.Code{jen.Lit(n.With.Zone)}
	case registry.OpLengthIs, registry.OpLengthAtLeast, registry.OpLengthAtMost:
		return []jen.Code{jen.Lit(n.Count)}
	case registry.OpHasBeen:
		return []jen.Code{value(n.Value), dur(n.Span)}
	case registry.OpChanged:
		return []jen.Code{value(n.With.From), value(n.With.To), dur(n.Span)}
	default: // the comparisons of numbers
		return []jen.Code{number(n.Value.Number)}
	}
}

// with is what a row of the table form has beside the row.
func with(w *registry.Operands) *jen.Statement {
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
	return jen.Op("&").Add(reg("Operands")).Add(row(fields...))
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
