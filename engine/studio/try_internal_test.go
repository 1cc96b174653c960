package studio

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestObjectOf reads objects from fields of declared names and from JSON.
func TestObjectOf(t *testing.T) {
	t.Parallel()
	declared := []client.CatalogEntry{
		{Name: "amount", Types: []string{"number"}},
		{Name: "gift", Types: []string{"bool"}},
		{Name: "tags", Types: []string{"list"}},
		{Name: "card.kind", Types: []string{"text"}},
		{Name: "size"},
	}
	for name, test := range map[string]struct{ form, want, field string }{
		"nothing":            {form: "", want: ""},
		"JSON alone":         {form: `properties={"a":1.50}`, want: `{"a":1.50}`},
		"a number as it is":  {form: "p.amount=12.50", want: `{"amount":12.50}`},
		"truth":              {form: "p.gift=true", want: `{"gift":true}`},
		"a list":             {form: "p.tags=a, b", want: `{"tags":["a","b"]}`},
		"a path":             {form: `properties={"card":{"year":2026}}&p.card.kind=visa`, want: `{"card":{"kind":"visa","year":2026}}`},
		"text of no type":    {form: "p.size=large", want: `{"size":"large"}`},
		"JSON of no type":    {form: "p.size=[1]", want: `{"size":[1]}`},
		"a field over JSON":  {form: `properties={"amount":1}&p.amount=2`, want: `{"amount":2}`},
		"no number":          {form: "p.amount=a lot", field: "amount"},
		"a hexadecimal one":  {form: "p.amount=0x10", field: "amount"},
		"neither true":       {form: "p.gift=maybe", field: "gift"},
		"no JSON":            {form: "properties=nonsense", field: "properties"},
		"no object":          {form: "properties=[1]", field: "properties"},
		"null":               {form: "properties=null", field: "properties"},
		"two objects":        {form: `properties={} {}`, field: "properties"},
		"an undeclared name": {form: "p.other=1", want: ""},
	} {
		form, err := url.ParseQuery(test.form)
		if err != nil {
			t.Fatal(err)
		}
		got, err := objectOf(form, "properties", "p.", declared)
		if field := problemOfNil(err).Field; field != test.field || err == nil && written(got) != test.want {
			t.Errorf("%s: got %s, %v; want %s, a problem of the field %q", name, written(got), err, test.want, test.field)
		}
	}
}

// problemOfNil returns the problem of an error; an empty one of nil.
func problemOfNil(err error) *client.Problem {
	if err == nil {
		return &client.Problem{}
	}
	return problemOf(err)
}

// TestShellQuoted quotes what an event may have.
func TestShellQuoted(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(map[string]string{"name": "it's $(rm)"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shellQuoted(string(text)), `'{"name":"it'\''s $(rm)"}'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
