package draw

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// property is a property of the vocabulary, with the operators that its type has.
type property struct {
	ir.Property
	operators []ir.Operator
}

var (
	equality  = []ir.Operator{ir.Eq, ir.Neq}
	order     = []ir.Operator{ir.Gt, ir.Gte, ir.Lt, ir.Lte}
	presence  = []ir.Operator{ir.Exists, ir.NotExists}
	choice    = []ir.Operator{ir.In, ir.NotIn}
	ofText    = slices.Concat(equality, presence, choice, []ir.Operator{ir.Contains, ir.HasPrefix, ir.HasSuffix, ir.Matches})
	ofNumber  = slices.Concat(order, equality, presence, choice, []ir.Operator{ir.Between})
	ofTime    = slices.Concat(presence, []ir.Operator{ir.InTheLast, ir.MoreThanAgo, ir.InTheNext, ir.Before, ir.After, ir.Between, ir.Today, ir.ThisWeek, ir.ThisMonth})
	ofList    = slices.Concat(presence, []ir.Operator{ir.HasAny, ir.HasAll, ir.LengthIs, ir.LengthAtLeast, ir.LengthAtMost})
	inHistory = []ir.Operator{ir.HasBeen, ir.Changed, ir.Changed} // of many operators these have the most to remember

	properties = []property{
		{ir.Property{Name: "plan", Type: ir.Text}, slices.Concat(ofText, inHistory, inHistory)},
		{ir.Property{Name: "seats", Type: ir.Number}, slices.Concat(ofNumber, inHistory)},
		{ir.Property{Name: "active", Type: ir.Bool}, slices.Concat([]ir.Operator{ir.Eq}, presence, inHistory)},
		{ir.Property{Name: "trial", Type: ir.Time}, ofTime},
		{ir.Property{Name: "since", Type: ir.Time}, ofTime},
		{ir.Property{Name: "tags", Type: ir.List}, ofList},
		{ir.Property{Name: "vip", Type: ir.Text, TraitsOnly: true}, slices.Concat(ofText, inHistory)},
		{ir.Property{Name: "at", Path: []string{"plan"}, Type: ir.Text}, ofText},
		{ir.Property{Name: "at", Path: []string{"in", "seats"}, Type: ir.Number}, ofNumber},
		{ir.Property{Name: "at", Path: []string{"in", "tags"}, Type: ir.List}, ofList},
		{ir.Property{Name: "at", Path: []string{"trial"}, Type: ir.Time}, ofTime},
		{ir.Property{Name: "p", Type: ir.Any}, slices.Concat(equality, order, presence, []ir.Operator{ir.Contains})},
	}

	texts    = []string{"pro", "free", "5", "", "professional", "PRO"}
	parts    = []string{"p", "ro", "Pro", "fessional", "\u212A", "5"}
	patterns = []string{"^pro$", "(?i)RO", "^$", "[0-9]", "^(pro|free)"}
	numbers  = []float64{5, 1, 0, -3, 5.5}
	zones    = []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles", "Pacific/Apia"}
)

func propertyCheck(t *rapid.T) *ir.PropertyCheck {
	p := one(t, "property", properties...)
	check := &ir.PropertyCheck{
		Name: p.Name, Path: p.Path, Type: p.Type, TraitsOnly: p.TraitsOnly, Operator: one(t, "operator", p.operators...),
	}
	switch check.Operator {
	case ir.Exists, ir.NotExists:
	case ir.InTheLast, ir.MoreThanAgo, ir.InTheNext:
		check.Span = span(t)
	case ir.Before, ir.After:
		check.Value = hourValue(upTo(t, "hour", -3, 12))
	case ir.Today, ir.ThisWeek, ir.ThisMonth:
		check.Zone = one(t, "zone", zones...)
	case ir.Between:
		check.Values = bounds(t, p.Type)
	case ir.In, ir.NotIn, ir.HasAny, ir.HasAll:
		check.Values = distinct(t, p.Type)
		check.Fold = check.Operator == ir.In && p.Type == ir.Text && chance(t, "fold", 30)
	case ir.Contains, ir.HasPrefix, ir.HasSuffix:
		check.Value, check.Fold = textValue(one(t, "part", parts...)), chance(t, "fold", 50)
		if p.Type == ir.Any {
			check.Value, check.Fold = operand(t, ir.Any), false
		}
	case ir.Matches:
		check.Value = textValue(one(t, "pattern", patterns...))
	case ir.LengthIs, ir.LengthAtLeast, ir.LengthAtMost:
		check.Count = upTo(t, "length", 0, 3)
	case ir.HasBeen:
		check.Value, check.Span = operand(t, p.Type), span(t)
	case ir.Changed:
		changed(t, check)
	default:
		check.Value = operand(t, p.Type)
		check.Fold = check.Operator == ir.Eq && p.Type == ir.Text && chance(t, "fold", 20)
	}
	return check
}

func changed(t *rapid.T, check *ir.PropertyCheck) {
	check.Span = span(t)
	pair := distinct(t, check.Type)
	if check.Type == ir.Bool { // there are but two
		yes, no := true, false
		pair = []*ir.Value{{Bool: &yes}, {Bool: &no}}
	}
	if chance(t, "from", 40) {
		check.From = pair[0]
	}
	if chance(t, "to", 50) && (check.From == nil || len(pair) > 1) {
		check.To = pair[len(pair)-1]
	}
}

func operand(t *rapid.T, typ ir.Type) *ir.Value {
	if typ == ir.Any {
		typ = one(t, "type", ir.Number, ir.Text, ir.Bool, ir.Any)
	}
	switch typ {
	case ir.Text, ir.List:
		return textValue(one(t, "text", texts...))
	case ir.Number:
		number := one(t, "number", numbers...)
		return &ir.Value{Number: &number}
	case ir.Bool:
		yes := chance(t, "bool", 50)
		return &ir.Value{Bool: &yes}
	default:
		return &ir.Value{Composite: true}
	}
}

// distinct draws some operands, in no order, none of which is another in a different letter case.
func distinct(t *rapid.T, typ ir.Type) []*ir.Value {
	var all []*ir.Value
	if typ == ir.Number {
		first := below(t, "first", len(numbers))
		for i := range upTo(t, "operands", 1, 3) {
			number := numbers[(first+2*i)%len(numbers)]
			all = append(all, &ir.Value{Number: &number})
		}
		return all
	}
	words := []string{"pro", "5", "free", "", "Professional"}
	first := below(t, "first", len(words))
	for i := range upTo(t, "operands", 1, 3) {
		all = append(all, textValue(words[(first+2*i)%len(words)]))
	}
	return all
}

func bounds(t *rapid.T, typ ir.Type) []*ir.Value {
	if typ == ir.Time {
		first := upTo(t, "hour", -3, 12)
		return []*ir.Value{hourValue(first), hourValue(first + upTo(t, "hours", 0, 3))}
	}
	least := one(t, "least", numbers...)
	most := least + one(t, "more", 0, 1, 4.5, 8)
	return []*ir.Value{{Number: &least}, {Number: &most}}
}

func textValue(text string) *ir.Value { return &ir.Value{Text: &text} }

func hourValue(n int) *ir.Value {
	at := Start.Add(time.Duration(n) * Hour)
	return &ir.Value{Time: &at}
}
