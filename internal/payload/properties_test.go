package payload_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
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
			p.Put(payload.Field{Key: "b", Value: table.Value{Kind: table.Text, Text: "y"}, Raw: []byte(`"y"`)})
			p.Put(payload.Field{Key: "c", Value: table.Value{Kind: table.Bool, Bool: true}, Raw: []byte(`true`)})
			p.Put(payload.Field{Key: "missing", Raw: []byte("null")})
			if got := strings.ReplaceAll(string(p.Raw()), " ", ""); got != `{"b":"y","c":true}` {
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

// TestPropertiesInTheirText changes objects repeatedly in their text, and parsed ones, in the
// notation of PostgreSQL and of this package: the results must agree.
func TestPropertiesInTheirText(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "b", "ab", "", "with \"quotes\"", "back\\slash", "ünï", "\u0001", "}", ","}
	values := []string{
		"null", "true", "false", "0", "-1.5", "12e3", `""`, `"x"`, `"a\\"`, `"\""`, `"}],:{["`, `"ü"`,
		"[]", "{}", `[1, "]", {"a": [2]}]`, `{"a": {"b": "}"}, "c": [3]}`,
	}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 1))
		raw := []byte("{}")
		if seed%2 == 0 {
			raw = nil
		}
		text := payload.Remember(raw)
		for step := range 40 {
			key, value := keys[rng.IntN(len(keys))], []byte(values[rng.IntN(len(values))])
			parsed, err := payload.StoredProperties(append([]byte{}, orEmpty(text.Raw())...))
			if err != nil {
				t.Fatalf("seed %d, step %d: %s: %v", seed, step, text.Raw(), err)
			}
			got, want := text.Get(key), parsed.Get(key)
			if got.Value != want.Value || string(got.Raw) != string(want.Raw) {
				t.Fatalf("seed %d, step %d: %q of %s is %s, want %s", seed, step, key, text.Raw(), got.Raw, want.Raw)
			}
			v, err := payload.StoredValue(value)
			if err != nil {
				t.Fatal(err)
			}
			before := string(text.Raw())
			f := payload.Field{Key: key, Value: v, Raw: value}
			text.Put(f)
			parsed.Put(f)
			if diff := cmp.Diff(content(t, parsed.Raw()), content(t, text.Raw())); diff != "" {
				t.Fatalf("seed %d, step %d: %q of %s becomes %s: %s\n%s", seed, step, key, before, value, text.Raw(), diff)
			}
			text = payload.Remember(text.Raw())
			if rng.IntN(4) == 0 {
				text = payload.Remember(spaced(t, text.Raw()))
			}
		}
	}
}

func orEmpty(raw []byte) []byte {
	if len(raw) == 0 {
		return []byte("{}")
	}
	return raw
}

func content(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return all
}

// spaced writes an object with the spaces of PostgreSQL.
func spaced(t *testing.T, raw []byte) []byte {
	t.Helper()
	p, err := payload.StoredProperties(raw)
	if err != nil {
		t.Fatal(err)
	}
	var members []string
	for _, f := range p.Fields() {
		members = append(members, fmt.Sprintf("%s: %s", payload.AppendText(nil, f.Key), f.Raw))
	}
	return []byte("{" + strings.Join(members, ", ") + "}")
}
