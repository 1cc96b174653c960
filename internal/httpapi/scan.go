package httpapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// scanner finds the key and counts the items of a JSON body while it arrives. It keeps no value but
// the key, and allocates nothing per item. It judges nothing: a body that is no JSON gives some key
// or none, and the reader behind it refuses it.
type scanner struct {
	intake *intake

	key   string // the key that was found, unless empty
	items int    // items that began so far; 1 for a body that is one item

	depth    int     // open objects and arrays
	object   [3]bool // object says whether the value open at a depth of 1 or 2 is an object
	counting int     // the depth whose values are items; 0 for none
	wanted   bool    // the next value is an item

	text    bool   // inside a string
	escaped bool   // the next byte of the string is escaped
	keeping bool   // word takes the bytes of the string
	naming  bool   // the next string at this depth is the name of a member
	named   bool   // word is such a name
	word    []byte // of a name or a key, raw
	outer   string // the member of the body that is open, as far as intake asks for it
	wants   bool   // the value that follows is a key, if it is a string
}

// longestWord is how many bytes of a name or key are kept: more than any that is known has, with
// every character escaped.
const longestWord = 512

func newScanner(in *intake) *scanner {
	s := &scanner{intake: in, word: make([]byte, 0, longestWord)}
	if in.items == "" {
		s.items = 1
	}
	return s
}

// scan takes the next part of the body.
func (s *scanner) scan(part []byte) {
	for len(part) > 0 {
		if s.text {
			part = s.inside(part)
			continue
		}
		b := part[0]
		part = part[1:]
		switch b {
		case ' ', '\t', '\n', '\r', 0xEF, 0xBB, 0xBF: // white space, and a byte order mark
			continue
		case ':':
			continue
		case ',':
			s.naming = s.depth >= 1 && s.depth <= 2 && s.object[s.depth]
			s.wanted, s.wants = s.depth == s.counting, false
			if s.depth == 1 {
				s.outer = ""
			}
			continue
		case '}', ']':
			s.close()
			continue
		}
		if s.wanted && s.depth == s.counting && s.counting > 0 {
			s.items++
			s.wanted = false
		}
		switch b {
		case '"':
			s.text, s.named = true, s.naming
			s.keeping = s.wants || s.naming && (s.depth == 1 || s.outer != "")
			s.word = s.word[:0]
		case '{', '[':
			s.open(b == '{')
		default:
			s.wants = false
		}
	}
}

// inside takes the rest of a string, or all of the part if that goes on.
func (s *scanner) inside(part []byte) []byte {
	quote := -1 // where the next quotation mark is, at i or behind it
	for i := 0; i < len(part); {
		if s.escaped {
			s.escaped = false
			s.keep(part[i : i+1])
			i++
			continue
		}
		if quote < i {
			quote = i + indexOrEnd(part[i:], '"')
		}
		n := i + indexOrEnd(part[i:quote], '\\')
		s.keep(part[i:n])
		switch {
		case n == len(part):
			return nil
		case n == quote:
			s.text = false
			s.end()
			return part[n+1:]
		}
		s.keep(part[n : n+1])
		s.escaped = true
		i = n + 1
	}
	return nil
}

// indexOrEnd returns where b is in text, or the length of text.
func indexOrEnd(text []byte, b byte) int {
	if i := bytes.IndexByte(text, b); i >= 0 {
		return i
	}
	return len(text)
}

func (s *scanner) keep(b []byte) {
	if s.keeping {
		s.word = append(s.word, b[:min(len(b), longestWord-len(s.word))]...)
	}
}

// end takes the end of a string.
func (s *scanner) end() {
	switch {
	case s.named:
		s.named, s.naming = false, false
		if s.keeping {
			s.name()
		}
	case s.wants:
		s.wants = false
		if s.key == "" {
			s.key = string(s.word) // a key has no characters to escape
		}
	}
}

// name takes the name of a member. It allocates only for names that are written with escapes.
func (s *scanner) name() {
	name := s.word
	if bytes.IndexByte(name, '\\') >= 0 {
		var plain string
		if json.Unmarshal(slices.Concat([]byte{'"'}, name, []byte{'"'}), &plain) != nil {
			plain = ""
		}
		name = []byte(plain)
	}
	for _, path := range s.intake.keys {
		first, second, nested := strings.Cut(path, ".")
		switch {
		case s.depth == 1 && string(name) == first:
			s.outer, s.wants = first, !nested
		case s.depth == 2 && nested && s.outer == first && string(name) == second:
			s.wants = true
		}
	}
	if s.depth == 1 && s.intake.items != "" && string(name) == s.intake.items {
		s.outer = s.intake.items
	}
}

// open takes the beginning of an object or array.
func (s *scanner) open(object bool) {
	s.wants = false
	s.depth++
	if s.depth > 2 {
		s.naming = false
		return
	}
	s.object[s.depth], s.naming = object, object
	if object || s.intake.items == "" {
		return
	}
	if s.depth == 1 || s.object[1] && s.outer == s.intake.items {
		s.counting, s.wanted = s.depth, true
	}
}

// close takes the end of an object or array.
func (s *scanner) close() {
	if s.depth == s.counting {
		s.counting = 0
	}
	s.naming, s.wanted, s.wants = false, false, false
	s.depth = max(0, s.depth-1)
}
