// Package payload reads the JSON objects of an ingest: once, and strictly, so that PostgreSQL can
// store and criteria can compare everything that passes. Everything else is refused, with the path
// of the culprit.
package payload

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bucketgen/bucketgen/internal/strictjson"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	maxDepth = 64  // PostgreSQL's own limit is its stack
	maxKey   = 255 // bytes
	// Longer numbers are stored by their float64: PostgreSQL keeps every digit of a number, and
	// refuses one with too many, like 1e-20000.
	maxNumber = 40
)

// Object is a JSON object: the fields that criteria ask about, in the order of arrival, and the
// whole object, compact and valid.
type Object struct {
	Fields []Field
	Raw    []byte // nil if there is no object
}

// Asked selects the fields of an object that a registry asks about for an event.
type Asked struct {
	Registry *table.Registry
	Event    table.EventIndex
}

// All selects every field.
var All = Asked{}

func (a Asked) about(key string) bool { return a == All || a.Registry.Asks(a.Event, key) }

// Get returns a member of the object. Without one it returns a field that is null.
func (o Object) Get(key string) Field {
	for _, f := range o.Fields {
		if f.Key == key {
			return f
		}
	}
	return Field{Key: key, Raw: []byte("null")}
}

// Value returns the whole value of a member.
func (o Object) Value(key string) table.Value { return o.Get(key).Whole() }

// Field is a member of an object.
type Field struct {
	Key   string
	Value table.Value
	Raw   []byte
}

// Same reports whether two fields have the same value. Numbers are the same if they are equal,
// lists and objects if their contents are, in any notation.
func (f Field) Same(g Field) bool {
	if f.Value.Kind == table.Composite && g.Value.Kind == table.Composite {
		return bytes.Equal(f.Raw, g.Raw) || sameContent(f.Raw, g.Raw)
	}
	return f.Value == g.Value
}

// sameContent compares two lists or objects. PostgreSQL writes them in its own way, so the stored
// bytes differ from the ingested ones.
func sameContent(a, b []byte) bool {
	var x, y any
	return stdjson.Unmarshal(a, &x) == nil && stdjson.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// Whole returns the value of the field with its contents, which criteria may ask about.
func (f Field) Whole() table.Value {
	v := f.Value
	if v.Kind == table.Composite {
		v.Text = string(f.Raw)
	}
	return v
}

// AppendText appends a text that was read from an object, as JSON.
func AppendText(dst []byte, s string) []byte {
	out, err := jsontext.AppendQuote(dst, s)
	if err != nil { // only for invalid UTF-8, which nothing that was read contains
		return append(dst, `""`...)
	}
	return out
}

// Error names a mistake in an object, and its position.
type Error struct {
	Path string // like properties.plan
	Text string
}

func (e *Error) Error() string { return e.Path + ": " + e.Text }

// Parse reads an object from JSON text, like [FromMap] from a map. An empty text and null are no
// object. Half of a surrogate pair in a value becomes U+FFFD, since clients cut texts in the middle
// of an emoji; in a key it is refused.
func Parse(name string, raw []byte, maxBytes int, asked Asked) (Object, error) {
	if len(raw) == 0 {
		return Object{}, nil
	}
	if len(raw) > maxBytes {
		return Object{}, &Error{name, fmt.Sprintf("is %d bytes, more than the %d that are allowed", len(raw), maxBytes)}
	}
	raw = strictjson.ReplaceHalves(raw)
	r := reader{name: name, dec: newDecoder(raw), out: make([]byte, 0, len(raw)), most: maxBytes, asked: asked}
	if r.dec.PeekKind() == 'n' && bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return Object{}, nil
	}
	if kind := r.dec.PeekKind(); kind != '{' && kind != 0 {
		return Object{}, &Error{name, "is not an object"}
	}
	o, err := r.object()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return Object{}, err
	}
	return o, nil
}

func newDecoder(raw []byte) *jsontext.Decoder { return jsontext.NewDecoder(bytes.NewBuffer(raw)) }

// reader copies one JSON text, value by value.
type reader struct {
	name  string
	depth int // of the text within the whole value
	dec   *jsontext.Decoder
	out   []byte
	most  int // bytes of out; numbers are longer in it than in the text
	asked Asked
}

func (r *reader) object() (Object, error) {
	var spans [][2]int
	var o Object
	if _, err := r.dec.ReadToken(); err != nil {
		return o, refuse(r.name, err)
	}
	r.out = append(r.out, '{')
	for first := true; r.dec.PeekKind() != '}'; first = false {
		if !first {
			r.out = append(r.out, ',')
		}
		key, err := r.key()
		if err != nil {
			return o, err
		}
		start := len(r.out)
		v, err := r.value()
		if err != nil {
			return o, err
		}
		if r.asked.about(key) {
			o.Fields = append(o.Fields, Field{Key: key, Value: v})
			spans = append(spans, [2]int{start, len(r.out)})
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return o, refuse(r.name, err)
	}
	r.out = append(r.out, '}')
	o.Raw = r.out
	for i, s := range spans { // only now: out may have moved while it grew
		o.Fields[i].Raw = r.out[s[0]:s[1]:s[1]]
	}
	return o, nil
}

func (r *reader) key() (string, error) {
	tok, err := r.dec.ReadToken()
	if err != nil {
		return "", refuse(r.name, err)
	}
	key := tok.String()
	switch {
	case strings.ContainsRune(key, 0):
		return "", &Error{r.path(), "the key contains U+0000, which PostgreSQL cannot store"}
	case len(key) > maxKey:
		return "", &Error{r.name, fmt.Sprintf("the key %.40q... is %d bytes, more than %d", key, len(key), maxKey)}
	}
	return key, r.text(key)
}

func (r *reader) text(s string) error {
	out, err := jsontext.AppendQuote(r.out, s)
	if err != nil {
		return refuse(r.path(), err)
	}
	if r.dec.StackDepth() > 0 && r.nameNext() {
		out = append(out, ':')
	}
	r.out = out
	return nil
}

// nameNext reports whether the last token was the name of a member.
func (r *reader) nameNext() bool {
	kind, n := r.dec.StackIndex(r.dec.StackDepth())
	return kind == '{' && n%2 == 1
}

func (r *reader) value() (table.Value, error) {
	switch kind := r.dec.PeekKind(); kind {
	case '{', '[':
		return table.Value{Kind: table.Composite}, r.composite()
	default:
		tok, err := r.dec.ReadToken()
		if err != nil {
			return table.Value{}, refuse(r.name, err)
		}
		return r.scalar(tok)
	}
}

func (r *reader) scalar(tok jsontext.Token) (table.Value, error) {
	switch tok.Kind() {
	case 't', 'f':
		r.out = strconv.AppendBool(r.out, tok.Bool())
		return table.Value{Kind: table.Bool, Bool: tok.Bool()}, nil
	case '0':
		return r.number(tok.String())
	case '"':
		s := tok.String()
		if strings.ContainsRune(s, 0) {
			return table.Value{}, &Error{r.path(), "contains U+0000, which PostgreSQL cannot store"}
		}
		return table.Value{Kind: table.Text, Text: s}, r.text(s)
	default:
		r.out = append(r.out, "null"...)
		return table.Value{}, nil
	}
}

func (r *reader) number(literal string) (table.Value, error) {
	n, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return table.Value{}, &Error{r.path(), fmt.Sprintf("the number %.40s is outside float64", literal)}
	}
	n = unsigned(n)
	if n == 0 || len(literal) > maxNumber || strings.ContainsAny(literal, "eE") {
		r.out = appendNumber(r.out, n)
	} else {
		r.out = append(r.out, literal...)
	}
	if len(r.out) > r.most {
		return table.Value{}, &Error{r.path(), fmt.Sprintf("with its numbers written without exponents, the object is more than the %d bytes that are allowed", r.most)}
	}
	return table.Value{Kind: table.Number, Number: n}, nil
}

// appendNumber appends a number as PostgreSQL writes it, without an exponent. So a value takes as
// many bytes before it is stored as after, and no client stores more than it is charged for.
func appendNumber(dst []byte, n float64) []byte { return strconv.AppendFloat(dst, n, 'f', -1, 64) }

// unsigned returns a number without the sign of a zero: -0 equals 0, and must have the text of 0,
// because texts of numbers distinguish groups.
func unsigned(n float64) float64 {
	if n == 0 {
		return 0
	}
	return n
}

// composite copies a list or an object with its contents.
func (r *reader) composite() error {
	base := r.dec.StackDepth()
	first := true
	for {
		kind := r.dec.PeekKind()
		closing := kind == '}' || kind == ']'
		if !first && !closing && !r.nameNext() {
			r.out = append(r.out, ',')
		}
		first = kind == '{' || kind == '['
		var err error
		switch {
		case first && r.depth+r.dec.StackDepth() >= maxDepth:
			return &Error{r.path(), fmt.Sprintf("is nested more than %d deep", maxDepth)}
		case first || closing:
			var tok jsontext.Token
			if tok, err = r.dec.ReadToken(); err == nil {
				r.out = append(r.out, tok.String()...)
			} else {
				err = refuse(r.name, err)
			}
		case r.expectsName():
			_, err = r.key()
		default:
			_, err = r.value()
		}
		if err != nil {
			return err
		}
		if closing && r.dec.StackDepth() == base {
			return nil
		}
	}
}

// expectsName reports whether the next token is the name of a member.
func (r *reader) expectsName() bool {
	kind, n := r.dec.StackIndex(r.dec.StackDepth())
	return kind == '{' && n%2 == 0
}

func (r *reader) end() error {
	switch _, err := r.dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return refuse(r.name, err)
	default:
		return &Error{r.name, "has more text after the object"}
	}
}

func (r *reader) path() string { return dotted(r.name, r.dec.StackPointer()) }

func dotted(name string, p jsontext.Pointer) string {
	for token := range p.Tokens() {
		name += "." + token
	}
	return name
}

// refuse turns an error of the JSON library into one that names the wrong field.
func refuse(name string, err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return &Error{dotted(name, syntax.JSONPointer), fmt.Sprintf("is not valid JSON: %v", syntax.Err)}
	case errors.As(err, &semantic):
		return &Error{dotted(name, semantic.JSONPointer), fmt.Sprintf("cannot be written as JSON: %v", semantic.Err)}
	}
	return &Error{name, fmt.Sprintf("is not valid JSON: %v", err)}
}
