package table

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// text returns the text of a property, and whether it is one. An instant is a text too.
func (f *Facts) text(p PropertyIndex) (string, bool) {
	v := f.value(p)
	return v.Text, v.Kind == Text || v.Kind == Time
}

// In holds while the property is one of the texts, which are sorted.
func (f *Facts) In(p PropertyIndex, texts ...string) Verdict {
	s, is := f.text(p)
	if !is {
		return fixed(false)
	}
	_, found := slices.BinarySearch(texts, s)
	return fixed(found)
}

// Contains holds while the property is a text that contains s.
func (f *Facts) Contains(p PropertyIndex, s string) Verdict {
	text, is := f.text(p)
	return fixed(is && strings.Contains(text, s))
}

// HasPrefix holds while the property is a text that begins with s.
func (f *Facts) HasPrefix(p PropertyIndex, s string) Verdict {
	text, is := f.text(p)
	return fixed(is && strings.HasPrefix(text, s))
}

// HasSuffix holds while the property is a text that ends with s.
func (f *Facts) HasSuffix(p PropertyIndex, s string) Verdict {
	text, is := f.text(p)
	return fixed(is && strings.HasSuffix(text, s))
}

// Matches holds while the property is a text in which the regular expression matches. An invalid
// expression, which bucketgen refuses, matches nothing.
func (f *Facts) Matches(p PropertyIndex, pattern string) Verdict {
	text, is := f.text(p)
	if !is {
		return fixed(false)
	}
	re := patternOf(pattern)
	return fixed(re != nil && re.MatchString(text))
}

// IsFold holds while the property is the text s in any letter case.
func (f *Facts) IsFold(p PropertyIndex, s string) Verdict {
	text, is := f.text(p)
	return fixed(is && strings.EqualFold(text, s))
}

// InFold holds while the property is one of the texts in any letter case.
func (f *Facts) InFold(p PropertyIndex, texts ...string) Verdict {
	text, is := f.text(p)
	return fixed(is && slices.ContainsFunc(texts, func(s string) bool { return strings.EqualFold(text, s) }))
}

// ContainsFold holds while the property is a text that contains s in any letter case.
func (f *Facts) ContainsFold(p PropertyIndex, s string) Verdict {
	text, is := f.text(p)
	return fixed(is && containsFold(text, s))
}

// HasPrefixFold holds while the property is a text that begins with s in any letter case.
func (f *Facts) HasPrefixFold(p PropertyIndex, s string) Verdict {
	text, is := f.text(p)
	return fixed(is && hasPrefixFold(text, s))
}

// HasSuffixFold holds while the property is a text that ends with s in any letter case.
func (f *Facts) HasSuffixFold(p PropertyIndex, s string) Verdict {
	text, is := f.text(p)
	return fixed(is && hasSuffixFold(text, s))
}

// patterns caches the compiled regular expressions of this process's criteria. Generated code only
// names them, so that it has nothing to do when a program starts.
var patterns sync.Map // string to *regexp.Regexp, nil if it cannot be compiled

func patternOf(pattern string) *regexp.Regexp {
	if re, known := patterns.Load(pattern); known {
		return re.(*regexp.Regexp) //nolint:forcetypeassert // nothing else is stored
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		re = nil
	}
	patterns.Store(pattern, re)
	return re
}

// Letter case is that of Unicode's simple case folding, as in strings.EqualFold: it goes by single
// characters, whose forms may differ in length.

func containsFold(s, sub string) bool {
	for {
		if hasPrefixFold(s, sub) {
			return true
		}
		if s == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
}

func hasPrefixFold(s, prefix string) bool {
	for prefix != "" {
		a, sizeA := utf8.DecodeRuneInString(s)
		b, sizeB := utf8.DecodeRuneInString(prefix)
		if s == "" || !sameLetter(a, b) {
			return false
		}
		s, prefix = s[sizeA:], prefix[sizeB:]
	}
	return true
}

func hasSuffixFold(s, suffix string) bool {
	for suffix != "" {
		a, sizeA := utf8.DecodeLastRuneInString(s)
		b, sizeB := utf8.DecodeLastRuneInString(suffix)
		if s == "" || !sameLetter(a, b) {
			return false
		}
		s, suffix = s[:len(s)-sizeA], suffix[:len(suffix)-sizeB]
	}
	return true
}

// sameLetter reports whether two characters differ in letter case at most.
func sameLetter(a, b rune) bool {
	if a == b {
		return true
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}
