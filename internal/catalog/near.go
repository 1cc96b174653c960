package catalog

import (
	"math/bits"
	"strings"
	"unicode"
)

// Near reports whether one of two different names may be a misspelling of the other: they differ by
// case, by the separators of words, by a plural, or by a letter or two. Names that differ by a
// digit, such as step1 and step2, differ on purpose.
func Near(a, b string) bool {
	if a == b {
		return false
	}
	return shapeOf(a).near(shapeOf(b))
}

// shape is a name without the most common mistakes.
type shape struct {
	letters []rune // in lower case, of all words, each without its plural
	digits  string
	mask    uint64 // of the letters, to exclude most names by one comparison
}

func shapeOf(name string) shape {
	var s shape
	var digits strings.Builder
	var word []rune
	end := func() {
		s.letters = append(s.letters, singular(word)...)
		word = word[:0]
	}
	lower := false // the previous rune is a lower-case letter: a capital begins a word
	for _, c := range name {
		switch {
		case unicode.IsDigit(c):
			digits.WriteRune(c)
		case !unicode.IsLetter(c):
			end()
		default:
			if lower && unicode.IsUpper(c) {
				end()
			}
			word = append(word, unicode.ToLower(c))
		}
		lower = unicode.IsLower(c)
	}
	end()
	s.digits = digits.String()
	for _, c := range s.letters {
		s.mask |= 1 << (uint32(c) % 64)
	}
	return s
}

// singular removes the ending of a plural from a word.
func singular(word []rune) []rune {
	text := string(word)
	switch {
	case len(word) > 4 && strings.HasSuffix(text, "ies"):
		return append(word[:len(word)-3], 'y')
	case len(word) > 4 && (strings.HasSuffix(text, "ses") || strings.HasSuffix(text, "xes") || strings.HasSuffix(text, "ches") || strings.HasSuffix(text, "shes")):
		return word[:len(word)-2]
	case len(word) > 3 && strings.HasSuffix(text, "s") && !strings.HasSuffix(text, "ss"):
		return word[:len(word)-1]
	}
	return word
}

// Names of fewer letters must have one shape: any two short names are similar.
const (
	oneEdit  = 4
	twoEdits = 10
)

func (s shape) near(t shape) bool {
	shorter := min(len(s.letters), len(t.letters))
	most := 0
	switch {
	case s.digits != t.digits || shorter == 0:
		return false
	case shorter >= twoEdits:
		most = 2
	case shorter >= oneEdit:
		most = 1
	}
	if bits.OnesCount64(s.mask&^t.mask) > most || bits.OnesCount64(t.mask&^s.mask) > most {
		return false
	}
	return edits(s.letters, t.letters, most) <= most
}

// edits returns how many letters to change, add, drop or exchange with their neighbour to turn one
// text into another; a number above most if there are more.
func edits(a, b []rune, most int) int {
	if max(len(a), len(b))-min(len(a), len(b)) > most {
		return most + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// Names is a set of names that can be searched for likely meanings of another name.
type Names struct {
	names  []string
	shapes []shape
}

// Add adds a name.
func (n *Names) Add(name string) {
	n.names, n.shapes = append(n.names, name), append(n.shapes, shapeOf(name))
}

// Near returns the names that may be meant by another one, at most the given number.
func (n *Names) Near(name string, most int) []string {
	if n == nil {
		return nil
	}
	var near []string
	s := shapeOf(name)
	for i := range n.names {
		if len(near) < most && n.names[i] != name && s.near(n.shapes[i]) {
			near = append(near, n.names[i])
		}
	}
	return near
}
