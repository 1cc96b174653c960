package refeval

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// valueOf returns the value that a condition is about: it lies at the end of a path that leads
// through objects only.
func valueOf(p *ir.PropertyCheck, f *Facts) any {
	value := f.Properties[p.Name]
	for _, key := range p.Path {
		object, isObject := value.(map[string]any)
		if !isObject {
			return nil
		}
		value = object[key]
	}
	return value
}

func compareProperty(p *ir.PropertyCheck, f *Facts, now time.Time) bool {
	value := valueOf(p, f)
	switch p.Operator {
	case ir.Exists:
		return value != nil
	case ir.NotExists:
		return value == nil
	case ir.Neq:
		return !equal(value, p.Value, false)
	case ir.NotIn:
		return !among(value, p)
	case ir.HasBeen, ir.Changed:
		return compareChange(p, value, f, now)
	}
	switch value := value.(type) {
	case nil:
		return false
	case string:
		if t, isInstant := instant(value); isInstant && p.Type == ir.Time {
			return compareInstant(p, t, now)
		}
		return compareText(p, value)
	case float64:
		return compareNumber(p, value)
	case []any:
		return compareList(p, value)
	default:
		return p.Operator == ir.Eq && equal(value, p.Value, false)
	}
}

// equal reports whether a value is of the operand's type and has its value. Lists and objects equal
// nothing.
func equal(value any, operand *ir.Value, fold bool) bool {
	switch value := value.(type) {
	case string:
		return operand.Text != nil && letters(*operand.Text, fold) == letters(value, fold)
	case float64:
		return operand.Number != nil && *operand.Number == value
	case bool:
		return operand.Bool != nil && *operand.Bool == value
	default:
		return false
	}
}

func among(value any, p *ir.PropertyCheck) bool {
	return slices.ContainsFunc(p.Values, func(v *ir.Value) bool { return equal(value, v, p.Fold) })
}

// letters returns a text, or what all texts have in common that differ from it in letter case only.
func letters(s string, fold bool) string {
	if !fold {
		return s
	}
	return strings.Map(func(r rune) rune {
		forms := []rune{r}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			forms = append(forms, other)
		}
		return slices.Max(forms)
	}, s)
}

func compareText(p *ir.PropertyCheck, text string) bool {
	switch p.Operator {
	case ir.Eq:
		return equal(text, p.Value, p.Fold)
	case ir.In:
		return among(text, p)
	}
	if p.Value == nil || p.Value.Text == nil {
		return false // not an operator of texts, or a hand-made operand that is none
	}
	if p.Operator == ir.Matches {
		return regexp.MustCompile(*p.Value.Text).MatchString(text)
	}
	text, part := letters(text, p.Fold), letters(*p.Value.Text, p.Fold)
	switch p.Operator {
	case ir.Contains:
		return strings.Contains(text, part)
	case ir.HasPrefix:
		return len(text) >= len(part) && text[:len(part)] == part
	case ir.HasSuffix:
		return len(text) >= len(part) && text[len(text)-len(part):] == part
	}
	return false
}

func compareNumber(p *ir.PropertyCheck, a float64) bool {
	switch p.Operator {
	case ir.Eq:
		return equal(a, p.Value, false)
	case ir.In:
		return among(a, p)
	case ir.Between:
		return p.Values[0].Number != nil && *p.Values[0].Number <= a && a <= *p.Values[1].Number
	}
	if p.Value == nil || p.Value.Number == nil {
		return false
	}
	b := *p.Value.Number
	switch p.Operator {
	case ir.Gt:
		return a > b
	case ir.Gte:
		return a >= b
	case ir.Lt:
		return a < b
	case ir.Lte:
		return a <= b
	}
	return false
}

func compareList(p *ir.PropertyCheck, list []any) bool {
	if p.Type != ir.List {
		return false
	}
	found := 0
	for _, v := range p.Values {
		if slices.ContainsFunc(list, func(element any) bool { return equal(element, v, false) }) {
			found++
		}
	}
	switch p.Operator {
	case ir.HasAny:
		return found > 0
	case ir.HasAll:
		return found == len(p.Values)
	case ir.LengthIs:
		return len(list) == p.Count
	case ir.LengthAtLeast:
		return len(list) >= p.Count
	case ir.LengthAtMost:
		return len(list) <= p.Count
	}
	return false
}

func compareInstant(p *ir.PropertyCheck, t, now time.Time) bool {
	switch p.Operator {
	case ir.Before:
		return t.Before(p.Value.Time.Truncate(micro))
	case ir.After:
		return t.After(p.Value.Time.Truncate(micro))
	case ir.Between:
		return !t.Before(p.Values[0].Time.Truncate(micro)) && !t.After(p.Values[1].Time.Truncate(micro))
	case ir.InTheLast: // (now-d, now]
		return t.After(now.Add(-p.Span)) && !t.After(now)
	case ir.MoreThanAgo: // <= now-d
		return !t.After(now.Add(-p.Span))
	case ir.InTheNext: // (now, now+d]
		return t.After(now) && !t.After(now.Add(p.Span))
	case ir.Today, ir.ThisWeek, ir.ThisMonth:
		begin, end := period(p, t)
		return !now.Before(begin) && now.Before(end)
	default:
		panic("no such comparison of an instant: " + string(p.Operator))
	}
}

// compareChange evaluates a condition on the last change of a property.
func compareChange(p *ir.PropertyCheck, value any, f *Facts, now time.Time) bool {
	change, known := f.Changes[p.Name]
	if p.Operator == ir.HasBeen {
		return equal(value, p.Value, false) && (!known || !now.Before(change.At.Add(p.Span)))
	}
	return known && change.At.After(now.Add(-p.Span)) && !change.At.After(now) &&
		(p.From == nil || equal(change.Was, p.From, false)) && (p.To == nil || equal(value, p.To, false))
}
