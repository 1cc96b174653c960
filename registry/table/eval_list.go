package table

import (
	"encoding/json"
	"slices"
)

// Elements is what is known of the elements of a list. It is read-only.
type Elements struct {
	Length int      // of the list, whatever is in it
	Texts  []string // those of its elements that are texts
}

// HasAny holds while the property is a list that has one of the texts among its elements.
func (f *Facts) HasAny(p PropertyIndex, texts ...string) Verdict {
	v := f.value(p)
	return fixed(v.Kind == List && slices.ContainsFunc(texts, v.Elements.has))
}

// HasAll holds while the property is a list that has all of the texts among its elements.
func (f *Facts) HasAll(p PropertyIndex, texts ...string) Verdict {
	v := f.value(p)
	return fixed(v.Kind == List && !slices.ContainsFunc(texts, func(s string) bool { return !v.Elements.has(s) }))
}

// LengthIs holds while the property is a list of n elements.
func (f *Facts) LengthIs(p PropertyIndex, n int) Verdict {
	v := f.value(p)
	return fixed(v.Kind == List && v.Elements.Length == n)
}

// LengthAtLeast holds while the property is a list of n elements or more.
func (f *Facts) LengthAtLeast(p PropertyIndex, n int) Verdict {
	v := f.value(p)
	return fixed(v.Kind == List && v.Elements.Length >= n)
}

// LengthAtMost holds while the property is a list of n elements or fewer.
func (f *Facts) LengthAtMost(p PropertyIndex, n int) Verdict {
	v := f.value(p)
	return fixed(v.Kind == List && v.Elements.Length <= n)
}

func (e *Elements) has(s string) bool { return slices.Contains(e.Texts, s) }

// asList parses a value that is a JSON list. It returns any other value unchanged.
func (v Value) asList() Value {
	var elements []any
	if v.Kind != Composite || v.Text == "" || v.Text[0] != '[' || json.Unmarshal([]byte(v.Text), &elements) != nil {
		return v
	}
	return listOf(elements)
}

func listOf(elements []any) Value {
	e := &Elements{Length: len(elements)}
	for _, element := range elements {
		if s, isText := element.(string); isText {
			e.Texts = append(e.Texts, s)
		}
	}
	return Value{Kind: List, Elements: e}
}
