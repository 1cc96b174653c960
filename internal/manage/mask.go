package manage

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine/identity"
)

// hidden stands for a value that a masked reader does not see.
const hidden = "hidden"

// hiddenJSON is hidden as JSON.
var hiddenJSON = json.RawMessage(`"` + hidden + `"`)

// masker hides personal data in the answers to a masked reader: e-mail addresses, and every value
// of a property or payload that the reader may not see. It knows the types that have values; a
// value of a type that it does not know is hidden as a whole. All operations that masked readers
// may call go through it, see [LookUp].
type masker struct {
	person identity.Person
	asked  string // asked is the id of the user in the request, which the reader knows
}

// mask hides what an answer has.
func (m masker) mask(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			m.mask(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() { // any value, such as one of JSON
			v.Set(reflect.ValueOf(hidden))
		}
	case reflect.String:
		v.SetString(m.text(v.String()))
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Len() > 0 {
				v.SetBytes(hiddenJSON)
			}
			return
		}
		for i := range v.Len() {
			m.mask(v.Index(i))
		}
	case reflect.Map:
		v.SetZero()
	case reflect.Struct:
		m.maskStruct(v)
	default:
	}
}

func (m masker) maskStruct(v reflect.Value) {
	switch known := v.Addr().Interface().(type) {
	case *time.Time:
	case *bucketgen.Evidence:
		m.maskEvidence(known)
	case *bucketgen.Property:
		if !m.sees(known.Name) {
			known.Value = hiddenJSON
			if known.Was != nil {
				known.Was = hiddenJSON
			}
		}
	case *bucketgen.LoggedEvent:
		known.Properties, known.Traits = m.object(known.Properties), m.object(known.Traits)
	default:
		for i := range v.NumField() {
			switch field := v.Type().Field(i); {
			case !field.IsExported():
			case field.Name == "UserEmail" && field.Type.Kind() == reflect.String:
				v.Field(i).SetString(maskEmail(v.Field(i).String()))
			default:
				m.mask(v.Field(i))
			}
		}
	}
}

// sees reports whether the reader sees the values of a property, or of what is inside of it.
func (m masker) sees(property string) bool {
	outer, _, _ := strings.Cut(property, ".")
	return property != "" && (m.person.Sees(property) || m.person.Sees(outer))
}

// object hides the values of a JSON object, but for those of properties that the reader sees.
func (m masker) object(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return text
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(text, &values) != nil {
		return hiddenJSON
	}
	for key := range values {
		if !m.sees(key) {
			values[key] = hiddenJSON
		}
	}
	masked, err := json.Marshal(values)
	if err != nil {
		return hiddenJSON
	}
	return masked
}

// maskEvidence leaves what evidence has about times and numbers of events, and all about a property
// that the reader sees.
func (m masker) maskEvidence(e *bucketgen.Evidence) {
	if m.sees(e.Property) {
		return
	}
	e.Text = hidden
	for _, value := range []*string{&e.Value, &e.Was, &e.Total} {
		if *value != "" {
			*value = hidden
		}
	}
	e.Different = nil
	if e.Unwanted != nil {
		m.maskEvidence(e.Unwanted)
	}
}

// address matches what may be an e-mail address.
var address = regexp.MustCompile(`[^\s@"'<>(),;:]+@[^\s@"'<>(),;:]+`)

// text masks e-mail addresses in a text, unless the reader has given it.
func (m masker) text(text string) string {
	if text == m.asked || !strings.Contains(text, "@") {
		return text
	}
	return address.ReplaceAllStringFunc(text, maskEmail)
}

// maskEmail leaves the first letters of an address: a...@e...
func maskEmail(email string) string {
	if email == "" {
		return ""
	}
	name, host, _ := strings.Cut(email, "@")
	return first(name) + "...@" + first(host) + "..."
}

// first returns the first letter of a text, which may be empty.
func first(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}
