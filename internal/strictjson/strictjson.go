// Package strictjson reads the JSON that clients send, so that no two readers can understand it
// differently: the text is valid UTF-8, names match exactly, no name is given twice, and nothing
// follows the value. It is the one reader of JSON for HTTP, replay and simulate.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Error is a mistake in a JSON text, and its position.
type Error struct {
	Path    string // like properties.plan; empty for the text as a whole
	Problem string
}

// Error returns the path and the problem.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Problem
	}
	return e.Path + ": " + e.Problem
}

// Member receives a member of an object: its name, and its value as it is written. Both share
// memory with the text.
type Member func(name, value []byte) error

// Object passes each member of an object to a function, in the order in which they are written. It
// checks the whole text, including values that the function ignores. Half of a surrogate pair in a
// value passes; [Text] replaces it. An error is an [*Error], or the error of the function.
func Object(text []byte, member Member) error {
	if !utf8.Valid(text) {
		return invalidUTF8(text)
	}
	return read(text, member, false)
}

// Envelope is like Object, but checks only the syntax of values. It is for an object around values
// that are read one by one, where a wrong value must not stop the others.
func Envelope(text []byte, member Member) error { return read(text, member, true) }

func read(text []byte, member Member, envelope bool) error {
	dec := decoder(text, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(envelope))
	defer dec.free()
	if err := dec.begin('{'); err != nil {
		return err
	}
	var seen map[string]bool // the decoder counts names itself unless duplicates are allowed in values
	if envelope {
		seen = map[string]bool{}
	}
	for dec.PeekKind() != '}' {
		name, err := dec.name()
		if err != nil {
			return err
		}
		if envelope {
			if seen[string(name)] {
				return &Error{string(name), duplicate}
			}
			seen[string(name)] = true
		}
		value, err := dec.ReadValue()
		if err != nil {
			return refusal(err)
		}
		if err := member(name, value); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return refusal(err)
	}
	return dec.end()
}

// Array passes each element of an array to a function, like [Envelope] with members.
func Array(text []byte, element func(value []byte) error) error {
	dec := decoder(text, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	defer dec.free()
	if err := dec.begin('['); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		value, err := dec.ReadValue()
		if err != nil {
			return refusal(err)
		}
		if err := element(value); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return refusal(err)
	}
	return dec.end()
}

// Text returns a JSON string, with U+FFFD in place of half a surrogate pair: text that was cut in
// the middle of an emoji. Null is empty.
func Text(value []byte) (string, error) {
	switch jsontext.Value(value).Kind() {
	case 'n':
		return "", nil
	case '"':
	default:
		return "", &Error{Problem: "is a JSON " + KindOf(value) + "; send a string"}
	}
	if plain := value[1 : len(value)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		return string(plain), nil
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil && !utf8.Valid(value) {
		return "", &Error{Problem: notUTF8}
	}
	return string(text), nil
}

// ID returns an identifier: a JSON string, or an integer as it is written. Null is empty. It is as
// strict as possible, since two users whose ids are replaced by the same text would become one.
func ID(value []byte) (string, error) {
	switch jsontext.Value(value).Kind() {
	case '0':
		if bytes.ContainsAny(value, ".eE") {
			return "", &Error{Problem: fmt.Sprintf("is the number %.40s; send a string, or an integer", value)}
		}
		return string(value), nil
	case '"':
		if _, err := jsontext.AppendUnquote(nil, value); err != nil {
			if utf8.Valid(value) {
				return "", &Error{Problem: "has half of a surrogate pair"}
			}
			return "", &Error{Problem: notUTF8}
		}
	}
	return Text(value)
}

const (
	notUTF8   = "is not valid UTF-8"
	duplicate = "is given twice"
)

// KindOf names the kind of a valid value, for people.
func KindOf(value []byte) string {
	switch jsontext.Value(value).Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	case '0':
		return "number"
	case '[':
		return "array"
	default:
		return "object"
	}
}

// SkipMark returns a text without the byte order mark that some programs write before it.
func SkipMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// pooled is a reused decoder.
type pooled struct {
	jsontext.Decoder

	buffer bytes.Buffer
}

var decoders = sync.Pool{New: func() any { return new(pooled) }}

func decoder(text []byte, opts ...jsontext.Options) *pooled {
	d, _ := decoders.Get().(*pooled)
	d.buffer = *bytes.NewBuffer(text)
	d.Reset(&d.buffer, opts...)
	return d
}

// free returns the decoder to the pool, without its text.
func (d *pooled) free() {
	d.buffer = bytes.Buffer{}
	d.Reset(&d.buffer)
	decoders.Put(d)
}

// begin reads the beginning of an object or an array.
func (d *pooled) begin(want jsontext.Kind) error {
	if kind := d.PeekKind(); kind == want || kind == 0 {
		_, err := d.ReadToken()
		return refusal(err)
	}
	value, err := d.ReadValue()
	if err != nil {
		return refusal(err)
	}
	return &Error{Problem: "is a JSON " + KindOf(value) + "; send " + article(want)}
}

func article(kind jsontext.Kind) string {
	if kind == '[' {
		return "an array"
	}
	return "an object"
}

// name returns the next name, which shares memory with the text unless it is written with escapes.
func (d *pooled) name() ([]byte, error) {
	quoted, err := d.ReadValue()
	if err != nil {
		return nil, refusal(err)
	}
	plain := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		return plain, nil
	}
	name, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return nil, &Error{Problem: fmt.Sprintf("the name %.40q is not valid Unicode", quoted)}
	}
	return name, nil
}

func (d *pooled) end() error {
	switch _, err := d.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	default:
		return &Error{Problem: "is no JSON: it has more text after the value"}
	}
}

// invalidUTF8 finds the member of a text that is not valid UTF-8.
func invalidUTF8(text []byte) error {
	dec := decoder(ReplaceHalves(text))
	defer dec.free()
	for {
		if _, err := dec.ReadValue(); err != nil {
			return refusal(err)
		}
	}
}

// refusal turns an error of a decoder into one with the mistake and its position.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return &Error{Problem: notJSON(err)}
	}
	path := Path(syntax.JSONPointer)
	switch {
	case errors.Is(syntax.Err, jsontext.ErrDuplicateName):
		return &Error{path, duplicate}
	case strings.Contains(syntax.Err.Error(), "UTF-8"):
		return &Error{path, notUTF8}
	}
	return &Error{path, notJSON(syntax.Err)}
}

func notJSON(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "is no JSON: it ends too early"
	}
	return "is no JSON: " + err.Error()
}

// Path returns a pointer as people write it: properties.plan.
func Path(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}
