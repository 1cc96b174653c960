package strictjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
)

// escapeLen is the length of an escape like \ud83d.
const escapeLen = 6

// ReplaceHalves returns a JSON text in which \ufffd replaces each half of a surrogate pair without
// the other: strings that were cut in the middle of an emoji. Names of members stay unchanged,
// since two cut names could become the same. The text is copied only if there is a half.
func ReplaceHalves(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\ud`)) && !bytes.Contains(text, []byte(`\uD`)) {
		return text
	}
	out := text
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		end := endOfString(text, i)
		if !isName(text, end) {
			out = replaceIn(out, text, i, end)
		}
		i = end - 1
	}
	return out
}

// replaceIn replaces halves between two offsets, in a copy once there is one.
func replaceIn(out, text []byte, i, end int) []byte {
	for i < end {
		if text[i] != '\\' {
			i++
			continue
		}
		r, escaped := unit(text[i:end])
		switch {
		case !escaped:
			i += 2
			continue
		case utf16.IsSurrogate(r):
			low, _ := unit(text[min(i+escapeLen, end):end])
			if utf16.DecodeRune(r, low) != '\ufffd' {
				i += 2 * escapeLen
				continue
			}
			if &out[0] == &text[0] {
				out = bytes.Clone(text)
			}
			copy(out[i:], `\ufffd`)
		}
		i += escapeLen
	}
	return out
}

// unit returns the UTF-16 unit of the escape at the beginning of a text.
func unit(text []byte) (rune, bool) {
	if len(text) < escapeLen || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:escapeLen]), 16, 16)
	return rune(n), err == nil
}

// endOfString returns the end of the string that begins at a quote.
func endOfString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// isName reports whether the string that ends there is the name of a member.
func isName(text []byte, end int) bool {
	rest := bytes.TrimLeft(text[end:], " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}
