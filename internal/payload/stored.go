package payload

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bucketgen/bucketgen/registry"
)

// Stored reads an object as PostgreSQL writes it, which needs no checking. The fields share memory with raw.
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
func StoredValue(raw []byte) (registry.Value, error) {
	switch jsontext.Value(raw).Kind() {
	case 'n':
		return registry.Value{}, nil
	case 't', 'f':
		return registry.Value{Kind: registry.Bool, Bool: raw[0] == 't'}, nil
	case '"':
		if bytes.IndexByte(raw, '\\') < 0 {
			return registry.Value{Kind: registry.Text, Text: string(raw[1 : len(raw)-1])}, nil
		}
		text, err := jsontext.AppendUnquote(nil, raw)
		return registry.Value{Kind: registry.Text, Text: string(text)}, err
	case '0':
		n, err := strconv.ParseFloat(string(raw), 64)
		return registry.Value{Kind: registry.Number, Number: unsigned(n)}, err
	default:
		return registry.Value{Kind: registry.Composite}, nil
	}
}

// WholeValue is as StoredValue, of a value with all that is in it.
func WholeValue(raw []byte) (registry.Value, error) {
	v, err := StoredValue(raw)
	return Field{Value: v, Raw: raw}.Whole(), err
}

// AppendValue appends a value, as JSON that WholeValue reads as one that criteria cannot tell from it.
func AppendValue(dst []byte, v registry.Value) []byte {
	switch v.Kind {
	case registry.Bool:
		return strconv.AppendBool(dst, v.Bool)
	case registry.Number:
		return strconv.AppendFloat(dst, v.Number, 'g', -1, 64)
	case registry.Text, registry.Time:
		return AppendText(dst, v.Text)
	case registry.List:
		dst = append(dst, '[')
		for i := range v.Elements.Length {
			if i > 0 {
				dst = append(dst, ',')
			}
			if i < len(v.Elements.Texts) {
				dst = AppendText(dst, v.Elements.Texts[i])
			} else {
				dst = append(dst, "null"...) // an element that is no text
			}
		}
		return append(dst, ']')
	case registry.Composite:
		return append(dst, "{}"...)
	default:
		return append(dst, "null"...)
	}
}
