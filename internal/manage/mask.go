package manage

import (
	"reflect"
	"strings"

	"github.com/bucketgen/bucketgen"
)

// hidden stands for a value that a masked reader does not see.
const hidden = "hidden"

// mask hides personal data in an answer: e-mail addresses, and what evidence says of values. Only
// operations that masked readers may call need it, see [LookUp].
func mask(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			mask(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			mask(v.Index(i))
		}
	case reflect.Struct:
		if e, is := reflect.TypeAssert[*bucketgen.Evidence](v.Addr()); is {
			maskEvidence(e)
			return
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			switch {
			case !field.IsExported():
			case field.Name == "UserEmail" && field.Type.Kind() == reflect.String:
				v.Field(i).SetString(maskEmail(v.Field(i).String()))
			default:
				mask(v.Field(i))
			}
		}
	default:
	}
}

// maskEvidence leaves what evidence has about times and numbers of events. Which property a value
// is of it does not say, so none is shown.
func maskEvidence(e *bucketgen.Evidence) {
	e.Text = hidden
	for _, value := range []*string{&e.Value, &e.Was, &e.Total} {
		if *value != "" {
			*value = hidden
		}
	}
	e.Different = nil
	if e.Unwanted != nil {
		maskEvidence(e.Unwanted)
	}
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
