package payload

import "bytes"

// member is the position of a member in the text of an object.
type member struct {
	comma       int // before the member; 0 if it is the first
	begin       int // of its key
	value, end  int // of its value
	found, sure bool
}

// find finds a member of a well-formed object without parsing the others. It is not sure if an
// earlier key contains an escape.
func find(raw []byte, key string) member {
	if len(raw) == 0 {
		return member{sure: true}
	}
	m := member{}
	i := skip(raw, 0) + 1
	for {
		i = skip(raw, i)
		switch raw[i] {
		case '}':
			return member{sure: true, end: i}
		case ',':
			m.comma = i
			i = skip(raw, i+1)
		}
		m.begin = i
		i = endOfText(raw, i)
		name := raw[m.begin+1 : i-1]
		m.value = skip(raw, skip(raw, i)+1)
		m.end = endOfValue(raw, m.value)
		switch {
		case bytes.IndexByte(name, '\\') >= 0:
			return member{}
		case string(name) == key:
			m.found, m.sure = true, true
			return m
		}
		i = m.end
	}
}

// splice returns the text of an object in which one member is replaced or added, or removed if the
// new value is null.
func (m member) splice(raw []byte, f Field) []byte {
	switch {
	case !f.Value.Exists() && !m.found:
		return raw
	case !f.Value.Exists() && m.comma > 0:
		return join(raw[:m.comma], raw[m.end:])
	case !f.Value.Exists():
		rest := skip(raw, m.end)
		if raw[rest] == ',' {
			rest++
		}
		return join(raw[:m.begin], raw[rest:])
	case m.found:
		return join(raw[:m.value], f.Raw, raw[m.end:])
	case len(raw) == 0:
		return AppendObject(nil, []Field{f})
	}
	added := append(AppendText(nil, f.Key), ':')
	if skip(raw, skip(raw, 0)+1) == m.end { // it was empty
		return join(raw[:m.end], added, f.Raw, raw[m.end:])
	}
	return join(raw[:m.end], []byte{','}, added, f.Raw, raw[m.end:])
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func skip(raw []byte, i int) int {
	for raw[i] == ' ' {
		i++
	}
	return i
}

// endOfText returns the end of the text that begins with a quote.
func endOfText(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func endOfValue(raw []byte, i int) int {
	for depth := 0; ; {
		switch raw[i] {
		case '"':
			i = endOfText(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ':
			i++
		default:
			for i < len(raw) && !bytes.ContainsRune(afterWord, rune(raw[i])) {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
}

// afterWord is what may follow a number, or true, false and null.
var afterWord = []byte(",]} ")
