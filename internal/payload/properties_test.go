package payload_test

import (
	"testing"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

func TestProperties(t *testing.T) {
	t.Parallel()
	const stored = `{"a": 1, "b": "x"}`
	parsed, err := payload.StoredProperties([]byte(stored))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]payload.Properties{"remembered": payload.Remember([]byte(stored)), "parsed": parsed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := p
			if got := p.Get("b"); string(got.Raw) != `"x"` || got.Value.Text != "x" {
				t.Errorf("b: got %v", got)
			}
			if got := p.Get("c"); string(got.Raw) != "null" || got.Value.Exists() {
				t.Errorf("c: got %v", got)
			}
			if got := string(p.Raw()); got != stored {
				t.Errorf("unchanged: got %s", got)
			}
			p.Put(payload.Field{Key: "a", Raw: []byte("null")})
			p.Put(payload.Field{Key: "b", Value: registry.Value{Kind: registry.Text, Text: "y"}, Raw: []byte(`"y"`)})
			p.Put(payload.Field{Key: "c", Value: registry.Value{Kind: registry.Bool, Bool: true}, Raw: []byte(`true`)})
			p.Put(payload.Field{Key: "missing", Raw: []byte("null")})
			if got := string(p.Raw()); got != `{"b":"y","c":true}` {
				t.Errorf("changed: got %s", got)
			}
			if got := string(before.Raw()); got != stored {
				t.Errorf("what it was copied from: got %s", got)
			}
		})
	}
	var none payload.Properties
	if got := string(none.Raw()); got != "{}" {
		t.Errorf("zero value: got %s", got)
	}
}
