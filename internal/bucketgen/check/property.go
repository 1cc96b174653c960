package check

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// methods are the methods of package bucket that make the operators, for the texts of problems.
var methods = map[ir.Operator]string{
	ir.Contains: "Contains", ir.HasPrefix: "HasPrefix", ir.HasSuffix: "HasSuffix", ir.Matches: "Matches",
	ir.In: "In", ir.NotIn: "NotIn", ir.Between: "Between",
	ir.InTheLast: "InTheLast", ir.MoreThanAgo: "MoreThanAgo", ir.InTheNext: "InTheNext",
	ir.Today: "Today", ir.ThisWeek: "ThisWeek", ir.ThisMonth: "ThisMonth",
	ir.HasAny: "HasAny", ir.HasAll: "HasAll",
	ir.LengthIs: "Exactly", ir.LengthAtLeast: "AtLeast", ir.LengthAtMost: "AtMost",
	ir.HasBeen: "HasBeen", ir.Changed: "Changed",
}

// method returns the name of the method that makes a condition.
func method(p *ir.PropertyCheck) string {
	if p.Fold {
		return methods[p.Operator] + "Fold"
	}
	return methods[p.Operator]
}

// property checks a condition on a property, or on a field of a payload.
func (c *checker) property(d *ir.Definition, n *ir.Node) {
	p := n.Property
	c.propertyName(p.Name, p.Path, n.Pos, d.ID)
	switch p.Operator {
	case ir.Exists, ir.NotExists:
	case ir.InTheLast, ir.MoreThanAgo, ir.InTheNext:
		c.propertySpan(d, n, method(p)+"(%s) is no span of time; it must be positive")
	case ir.Eq, ir.Neq, ir.Gt, ir.Gte, ir.Lt, ir.Lte, ir.Before, ir.After:
		c.operand(d, n)
	case ir.Contains, ir.HasPrefix, ir.HasSuffix, ir.Matches:
		c.text(d, n)
	case ir.In, ir.NotIn, ir.HasAny, ir.HasAll:
		c.operands(d, n)
	case ir.Between:
		c.between(d, n)
	case ir.Today, ir.ThisWeek, ir.ThisMonth:
		c.zone(d, n)
	case ir.LengthIs, ir.LengthAtLeast, ir.LengthAtMost:
		if p.Count < 0 {
			c.report(n.Pos, d.ID, "a list cannot have %d elements; count from 0 up", p.Count)
		}
	case ir.HasBeen, ir.Changed:
		c.history(d, n)
	default:
		c.report(n.Pos, d.ID, "there is no operator %q for properties; see the methods of bucket.Text, Number, Bool, Time and List", p.Operator)
	}
}

func (c *checker) propertySpan(d *ir.Definition, n *ir.Node, wrong string) {
	if n.Property.Span <= 0 {
		c.report(n.Pos, d.ID, wrong, n.Property.Span)
		return
	}
	c.span(d, n.Pos, "the span of "+method(n.Property), n.Property.Span)
}

func (c *checker) operand(d *ir.Definition, n *ir.Node) bool {
	if n.Property.Value == nil {
		c.report(n.Pos, d.ID, "operator %s of %s has nothing to compare with; give it a value", n.Property.Operator, subject(n.Property))
	}
	return n.Property.Value != nil
}

func (c *checker) text(d *ir.Definition, n *ir.Node) {
	p := n.Property
	if !c.operand(d, n) || p.Value.Text == nil {
		return // texts need no operand; hand-made definitions may lack one
	}
	switch text := *p.Value.Text; {
	case p.Operator == ir.Matches:
		if _, err := regexp.Compile(text); err != nil {
			c.report(n.Pos, d.ID, "Matches(%s) is no regular expression: %s; see the syntax of package regexp/syntax",
				strconv.Quote(text), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	case text == "" && p.Operator != ir.Contains:
		c.report(n.Pos, d.ID, `%s("") holds for every text; write what it begins or ends with, or Exists()`, method(p))
	}
}

func (c *checker) operands(d *ir.Definition, n *ir.Node) {
	p := n.Property
	if len(p.Values) == 0 {
		c.report(n.Pos, d.ID, "%s() of %s has nothing to choose from; put at least one value between the brackets", method(p), subject(p))
	}
	seen := map[string]bool{}
	for _, v := range p.Values {
		name := spellValue(v)
		if p.Fold {
			name = strings.Map(smallestForm, name)
		}
		if seen[name] {
			c.report(n.Pos, d.ID, "%s of %s is given %s twice; drop one", method(p), subject(p), spellValue(v))
		}
		seen[name] = true
	}
}

func (c *checker) between(d *ir.Definition, n *ir.Node) {
	p := n.Property
	if len(p.Values) != 2 {
		c.report(n.Pos, d.ID, "Between of %s takes two values; give it the least and the greatest", subject(p))
		return
	}
	lo, hi := p.Values[0], p.Values[1]
	numbers := lo.Number != nil && hi.Number != nil && *lo.Number > *hi.Number
	instants := lo.Time != nil && hi.Time != nil && lo.Time.After(*hi.Time)
	if numbers || instants {
		c.report(n.Pos, d.ID, "Between(%s, %s) holds for nothing, because the first is greater; write Between(%s, %s)",
			spellValue(lo), spellValue(hi), spellValue(hi), spellValue(lo))
	}
}

func (c *checker) history(d *ir.Definition, n *ir.Node) {
	p := n.Property
	switch {
	case p.Event != "":
		c.report(n.Pos, d.ID, "%s has no history; ask %s of a property", subject(p), method(p))
		return
	case len(p.Path) > 0:
		c.report(n.Pos, d.ID, "%s does not go with At(...): the history of %q is kept, not that of what is inside; ingest %s as a property of its own",
			method(p), p.Name, strconv.Quote(strings.Join(append([]string{p.Name}, p.Path...), "_")))
	}
	if p.Operator == ir.HasBeen {
		c.operand(d, n)
		c.propertySpan(d, n, "HasBeen for %s is no span of time; it must be positive")
		return
	}
	if p.From != nil && p.To != nil && spellValue(p.From) == spellValue(p.To) {
		c.report(n.Pos, d.ID, "nothing changes from %s to %s; drop From or To, or write two values", spellValue(p.From), spellValue(p.To))
	}
	c.propertySpan(d, n, "Within(%s) is no window; its length must be positive")
}

// smallestForm returns the same representative for all letter cases of a character.
func smallestForm(r rune) rune {
	smallest := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		smallest = min(smallest, other)
	}
	return smallest
}

// spellValue writes an operand like its author.
func spellValue(v *ir.Value) string {
	switch {
	case v == nil:
		return "nothing"
	case v.Text != nil:
		return strconv.Quote(*v.Text)
	case v.Number != nil:
		return strconv.FormatFloat(*v.Number+0, 'g', -1, 64) // -0 is 0
	case v.Bool != nil:
		return strconv.FormatBool(*v.Bool)
	case v.Time != nil:
		return v.Time.UTC().Format(time.RFC3339Nano)
	default:
		return "a list"
	}
}
