package bucket

import "github.com/bucketgen/bucketgen/internal/ir"

// TextOf has the conditions on a text. A [TextProperty] makes them [Criteria], a [TextField] makes
// them a [Filter].
//
// The methods whose names end in Fold ignore letter case, by Unicode's simple case folding:
// "straße" is "STRAßE" but not "STRASSE", and the sign K for kelvin is the letter k. Folding is the
// same for all languages.
type TextOf[C Condition] struct{ of reference }

// Name returns the name of the property or field.
func (t TextOf[C]) Name() string { return t.of.name }

// Is holds while the value is the text v. Checked when the value is set.
func (t TextOf[C]) Is(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Eq, Value: textValue(v)})
}

// IsNot holds while the value is anything but the text v: another text, another type, or missing.
// Checked when the value is set.
func (t TextOf[C]) IsNot(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Neq, Value: textValue(v)})
}

// In holds while the value is one of the texts. It needs at least one, and each once. Checked when
// the value is set.
func (t TextOf[C]) In(v ...string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.In, Values: values(v, textValue)})
}

// NotIn holds while the value is none of the texts: another text, another type, or missing. It
// needs at least one, and each once. Checked when the value is set.
func (t TextOf[C]) NotIn(v ...string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.NotIn, Values: values(v, textValue)})
}

// Contains holds while the value is a text that contains v, in the same letter case. Checked when
// the value is set.
func (t TextOf[C]) Contains(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Contains, Value: textValue(v)})
}

// HasPrefix holds while the value is a text that begins with v, in the same letter case. Checked
// when the value is set.
func (t TextOf[C]) HasPrefix(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.HasPrefix, Value: textValue(v)})
}

// HasSuffix holds while the value is a text that ends with v, in the same letter case. Checked when
// the value is set.
func (t TextOf[C]) HasSuffix(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.HasSuffix, Value: textValue(v)})
}

// Matches holds while the value is a text in which the regular expression matches somewhere; begin
// it with ^ and end it with $ to match all of the text. The syntax is that of package regexp, which
// takes time linear in the text. Checked when the value is set.
func (t TextOf[C]) Matches(pattern string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Matches, Value: textValue(pattern)})
}

// IsFold is like Is, in any letter case. Checked when the value is set.
func (t TextOf[C]) IsFold(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Eq, Fold: true, Value: textValue(v)})
}

// InFold is like In, in any letter case. Checked when the value is set.
func (t TextOf[C]) InFold(v ...string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.In, Fold: true, Values: values(v, textValue)})
}

// ContainsFold is like Contains, in any letter case. Checked when the value is set.
func (t TextOf[C]) ContainsFold(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Contains, Fold: true, Value: textValue(v)})
}

// HasPrefixFold is like HasPrefix, in any letter case. Checked when the value is set.
func (t TextOf[C]) HasPrefixFold(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.HasPrefix, Fold: true, Value: textValue(v)})
}

// HasSuffixFold is like HasSuffix, in any letter case. Checked when the value is set.
func (t TextOf[C]) HasSuffixFold(v string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.HasSuffix, Fold: true, Value: textValue(v)})
}

// Exists holds while there is a value, of any type. Checked when the value is set.
func (t TextOf[C]) Exists() C { return condition[C](t.of, ir.PropertyCheck{Operator: ir.Exists}) }

// NotExists holds while there is no value. Checked when the value is set.
func (t TextOf[C]) NotExists() C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.NotExists})
}
