package payload

import (
	stdjson "encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bucketgen/bucketgen/registry/table"
)

// FromMap reads an object that is a Go map; its fields come in the order of their keys. Errors
// refer to it by name. Only the fields that criteria ask about are kept.
func FromMap(name string, m map[string]any, maxBytes int, asked Asked) (Object, error) {
	if m == nil {
		return Object{}, nil
	}
	const many = 16 // most objects have fewer members: sorting them needs no allocation
	var room [many]entry
	entries, size := room[:0], len("{}")
	for key, v := range m {
		entries = append(entries, entry{key: key, value: v})
		size += len(key) + len(`"":,`) + sizeOf(v)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	o := Object{Raw: make([]byte, 0, size)}
	if asked == All {
		o.Fields = make([]Field, 0, len(entries))
	}
	o.Raw = append(o.Raw, '{')
	for i := range entries {
		e := &entries[i]
		var err error
		if i > 0 {
			o.Raw = append(o.Raw, ',')
		}
		if o.Raw, err = appendKey(o.Raw, name, e.key); err != nil {
			return Object{}, err
		}
		start := len(o.Raw)
		var v table.Value
		if o.Raw, v, err = appendAny(o.Raw, name, e.key, e.value); err != nil {
			return Object{}, err
		}
		if len(o.Raw) >= maxBytes {
			return Object{}, &Error{name, fmt.Sprintf("is more than the %d bytes that are allowed", maxBytes)}
		}
		if asked.about(e.key) {
			entries[len(o.Fields)].start, entries[len(o.Fields)].end = start, len(o.Raw)
			o.Fields = append(o.Fields, Field{Key: e.key, Value: v})
		}
	}
	o.Raw = append(o.Raw, '}')
	for i := range o.Fields { // only now: Raw may have moved while it grew
		e := &entries[i]
		o.Fields[i].Raw = o.Raw[e.start:e.end:e.end]
	}
	return o, nil
}

// entry is a member of a map.
type entry struct {
	key   string
	value any

	start, end int // position of the field, if criteria ask about it
}

// sizeOf is how many bytes a value takes, if it is simple and needs no escapes.
func sizeOf(v any) int {
	const other = 20 // the length of a long number
	if s, isText := v.(string); isText {
		return len(s) + len(`""`)
	}
	return other
}

func appendKey(dst []byte, name, key string) ([]byte, error) {
	switch {
	case strings.IndexByte(key, 0) >= 0:
		return dst, &Error{name + "." + key, "the key contains U+0000, which PostgreSQL cannot store"}
	case len(key) > maxKey:
		return dst, &Error{name, fmt.Sprintf("the key %.40q... is %d bytes, more than %d", key, len(key), maxKey)}
	}
	out, err := jsontext.AppendQuote(dst, key)
	if err != nil {
		return dst, refuse(name, err)
	}
	return append(out, ':'), nil
}

// appendAny appends simple values itself, and leaves others to the JSON library.
func appendAny(dst []byte, name, key string, v any) ([]byte, table.Value, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), table.Value{}, nil
	case bool:
		return strconv.AppendBool(dst, v), table.Value{Kind: table.Bool, Bool: v}, nil
	case string:
		return appendString(dst, name, key, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10), table.Value{Kind: table.Number, Number: float64(v)}, nil
	case int64:
		return strconv.AppendInt(dst, v, 10), table.Value{Kind: table.Number, Number: float64(v)}, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return dst, table.Value{}, &Error{name + "." + key, fmt.Sprintf("the number %v cannot be written as JSON", v)}
		}
		v = unsigned(v)
		return appendNumber(dst, v), table.Value{Kind: table.Number, Number: v}, nil
	default:
		return appendOther(dst, name+"."+key, v)
	}
}

func appendString(dst []byte, name, key, s string) ([]byte, table.Value, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return dst, table.Value{}, &Error{name + "." + key, "contains U+0000, which PostgreSQL cannot store"}
	}
	out, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		return dst, table.Value{}, refuse(name+"."+key, err)
	}
	return out, table.Value{Kind: table.Text, Text: s}, nil
}

// appendOther appends a value of any type that the JSON library can write.
func appendOther(dst []byte, path string, v any) ([]byte, table.Value, error) {
	raw, err := json.Marshal(v, numbers)
	if err != nil {
		return dst, table.Value{}, refuse(path, err)
	}
	r := reader{name: path, depth: 1, dec: newDecoder(raw), out: dst, most: math.MaxInt} // FromMap checks the size
	value, err := r.value()
	return r.out, value, err
}

// numbers writes the numbers of encoding/json as numbers; this library takes them for texts.
var numbers = json.WithMarshalers(json.MarshalFunc(func(n stdjson.Number) ([]byte, error) { return []byte(n), nil }))
