// Package printable prints text that users chose: ids, values of properties, answers of other
// systems. A control character in such a text would move the cursor of the terminal, a newline
// would forge a row, a bidirectional override would reorder one. All of these become escapes;
// letters, marks, symbols and emoji of all scripts stay.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns a text on one line, safe for a terminal. Control characters (also tab and newline),
// invisible characters, bidirectional controls, line separators and bytes that are not UTF-8 become
// escapes: \x1b, \u202e, \xff. A backslash stays as it is, so two texts may print alike; JSON
// output distinguishes them.
func Text(s string) string {
	return escaped(s, func(r rune) bool { return r < ' ' })
}

// Lines is like [Text], and keeps tabs and newlines: it is for a text of several lines that the
// program composed.
func Lines(s string) string {
	return escaped(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' })
}

// escaped escapes unsafe characters. control decides about the characters below the space.
func escaped(s string, control func(rune) bool) string {
	var b strings.Builder
	done := 0 // bytes of s that are in b
	previous := rune(-1)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next := rune(-1)
		if i+size < len(s) {
			next = shownRune(s[i+size:])
		}
		if r == utf8.RuneError && size == 1 || r < ' ' && control(r) || r >= ' ' && hidden(previous, r, next) {
			b.WriteString(s[done:i])
			b.WriteString(escape(s[i:i+size], r))
			done = i + size
		}
		previous = shownRune(s[i : i+size])
		i += size
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// shownRune returns the first character of a text, or none if it is no character.
func shownRune(s string) rune {
	if r, size := utf8.DecodeRuneInString(s); r != utf8.RuneError || size > 1 {
		return r
	}
	return -1
}

// escape returns the escape of a character. Beyond ASCII it has JSON's form, so that JSON stays
// JSON.
func escape(text string, r rune) string {
	switch {
	case r == utf8.RuneError && len(text) == 1, r < ' ':
		return fmt.Sprintf(`\x%02x`, text[0])
	case r > 0xFFFF:
		high, low := utf16.EncodeRune(r)
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	default:
		return fmt.Sprintf(`\u%04x`, r)
	}
}

// hidden reports whether a character is invisible, or changes how others appear, at its position.
// Spaces of all widths are visible; zero-width ones are no spaces to Unicode.
func hidden(previous, r, next rune) bool {
	switch {
	case r < 0x7F:
		return false
	case unicode.Is(unicode.Zs, r):
		return false
	case r == '\u200C' || r == '\u200D': // joiners, which Persian, Indic scripts and emoji need
		return !joins(previous) || !joins(next)
	case unicode.Is(variations, r): // of the character before
		return previous < 0x80 && !keycap(previous) || !unicode.IsPrint(previous)
	case unicode.Is(blank, r):
		return true
	}
	return !unicode.IsPrint(r)
}

// keycap reports whether a character begins the emoji of a key: 1, then a variation selector, then
// U+20E3.
func keycap(r rune) bool { return r == '#' || r == '*' || r >= '0' && r <= '9' }

var (
	// variations choose how emoji and ideographs are drawn.
	variations = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0xFE00, Hi: 0xFE0F, Stride: 1}}}

	// blank are letters and marks that draw nothing: the grapheme joiner, fillers of Hangul,
	// inherent vowels of Khmer, the blank of Braille, selectors of Mongolian and of ideographs.
	blank = &unicode.RangeTable{
		R16: []unicode.Range16{
			{Lo: 0x034F, Hi: 0x034F, Stride: 1},
			{Lo: 0x115F, Hi: 0x1160, Stride: 1},
			{Lo: 0x17B4, Hi: 0x17B5, Stride: 1},
			{Lo: 0x180B, Hi: 0x180F, Stride: 1},
			{Lo: 0x2800, Hi: 0x2800, Stride: 1},
			{Lo: 0x3164, Hi: 0x3164, Stride: 1},
			{Lo: 0xFFA0, Hi: 0xFFA0, Stride: 1},
		},
		R32: []unicode.Range32{{Lo: 0xE0100, Hi: 0xE01EF, Stride: 1}},
	}

	// joining are the scripts whose letters a joiner between them changes.
	joining = []*unicode.RangeTable{
		unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mandaic, unicode.Mongolian, unicode.Adlam,
		unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
		unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Balinese,
	}
)

// joins reports whether a joiner may be beside a character.
func joins(r rune) bool {
	return r >= 0x80 && (unicode.In(r, joining...) || unicode.In(r, unicode.So, unicode.Sk) || unicode.Is(variations, r))
}
