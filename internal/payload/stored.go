package payload

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Stored reads an object as PostgreSQL writes it, without checks. The fields share memory with raw.
func Stored(raw []byte) (Object, error) {
	const typical = 32 // bytes of a field
	o := Object{Raw: raw, Fields: make([]Field, 0, len(raw)/typical+1)}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return o, fmt.Errorf("what is stored is no object: %.40q: %w", raw, err)
	}
	for dec.PeekKind() != '}' {
		key, err := dec.ReadToken()
		if err != nil {
			return o, err
		}
		f := Field{Key: key.String()}
		value, err := dec.ReadValue()
		if err != nil {
			return o, err
		}
		end := dec.InputOffset()
		f.Raw = raw[end-int64(len(value)) : end : end]
		if f.Value, err = StoredValue(f.Raw); err != nil {
			return o, err
		}
		o.Fields = append(o.Fields, f)
	}
	return o, nil
}

// StoredValue reads a value as PostgreSQL writes it.
func StoredValue(raw []byte) (table.Value, error) {
	switch jsontext.Value(raw).Kind() {
	case 'n':
		return table.Value{}, nil
	case 't', 'f':
		return table.Value{Kind: table.Bool, Bool: raw[0] == 't'}, nil
	case '"':
		if bytes.IndexByte(raw, '\\') < 0 {
			return table.Value{Kind: table.Text, Text: string(raw[1 : len(raw)-1])}, nil
		}
		text, err := jsontext.AppendUnquote(nil, raw)
		return table.Value{Kind: table.Text, Text: string(text)}, err
	case '0':
		n, err := strconv.ParseFloat(string(raw), 64)
		return table.Value{Kind: table.Number, Number: unsigned(n)}, err
	default:
		return table.Value{Kind: table.Composite}, nil
	}
}

// WholeValue is like StoredValue, for a value with its contents.
func WholeValue(raw []byte) (table.Value, error) {
	v, err := StoredValue(raw)
	return Field{Value: v, Raw: raw}.Whole(), err
}

// AppendValue appends a value as JSON. WholeValue reads it as a value that criteria cannot
// distinguish from the original.
func AppendValue(dst []byte, v table.Value) []byte {
	switch v.Kind {
	case table.Bool:
		return strconv.AppendBool(dst, v.Bool)
	case table.Number:
		return strconv.AppendFloat(dst, v.Number, 'g', -1, 64)
	case table.Text, table.Time:
		return AppendText(dst, v.Text)
	case table.List:
		dst = append(dst, '[')
		for i := range v.Elements.Length {
			if i > 0 {
				dst = append(dst, ',')
			}
			if i < len(v.Elements.Texts) {
				dst = AppendText(dst, v.Elements.Texts[i])
			} else {
				dst = append(dst, "null"...) // an element that is not a text
			}
		}
		return append(dst, ']')
	case table.Composite:
		return append(dst, "{}"...)
	default:
		return append(dst, "null"...)
	}
}
