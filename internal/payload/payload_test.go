package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

const limit = 1 << 20

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := payload.Parse("properties", []byte(` { "plan" : "pro", "n": 1.50, "big": 1e-20000, "ok": true,
		"none": null, "list": [1, {"a": [], "b": {}}, "x\u00e9"], "": 0 } `), limit, payload.All)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"plan":"pro","n":1.50,"big":0,"ok":true,"none":null,"list":[1,{"a":[],"b":{}},"xé"],"":0}`
	if string(o.Raw) != want {
		t.Errorf("raw: got %s, want %s", o.Raw, want)
	}
	values := map[string]table.Value{
		"plan": {Kind: table.Text, Text: "pro"},
		"n":    {Kind: table.Number, Number: 1.5},
		"big":  {Kind: table.Number},
		"ok":   {Kind: table.Bool, Bool: true},
		"none": {},
		"list": {Kind: table.Composite},
		"":     {Kind: table.Number},
	}
	if len(o.Fields) != len(values) {
		t.Errorf("got %d fields, want %d", len(o.Fields), len(values))
	}
	for _, f := range o.Fields {
		if f.Value != values[f.Key] {
			t.Errorf("field %q: got %v, want %v", f.Key, f.Value, values[f.Key])
		}
		if !json.Valid(f.Raw) {
			t.Errorf("field %q: %s is not JSON", f.Key, f.Raw)
		}
	}
}

func TestParseNothing(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "null", " null "} {
		if o, err := payload.Parse("properties", []byte(raw), limit, payload.All); err != nil || o.Raw != nil {
			t.Errorf("%q: got %s, %v, want no object", raw, o.Raw, err)
		}
	}
}

// TestParseHalves replaces halves of an emoji, as in titles that clients cut.
func TestParseHalves(t *testing.T) {
	t.Parallel()
	o, err := payload.Parse("properties", []byte(`{"a":"x\ud83d","b":["\udc00y",{"c":"\ud83d\ude00"}]}`), limit, payload.All)
	if want := `{"a":"x�","b":["�y",{"c":"😀"}]}`; err != nil || string(o.Raw) != want {
		t.Errorf("got %s, %v, want %s", o.Raw, err, want)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for name, tt := range map[string]struct{ raw, path, text string }{
		"no object":       {`[1]`, "properties", "is not an object"},
		"text":            {`"x"`, "properties", "is not an object"},
		"garbage":         {`{"a":1`, "properties", "is not valid JSON"},
		"trailing":        {`{} {}`, "properties", "more text after the object"},
		"trailing text":   {`{"a":1}x`, "properties", ""},
		"number":          {`{"a":{"b":1e400}}`, "properties.a.b", "outside float64"},
		"negative number": {`{"a":-1e400}`, "properties.a", "outside float64"},
		"NUL":             {`{"a":["x\u0000y"]}`, "properties.a.0", "U+0000"},
		"NUL in key":      {`{"a\u0000":1}`, "properties.a\x00", "U+0000"},
		"utf8":            {"{\"a\":\"\xff\"}", "properties.a", "invalid UTF-8"},
		"utf8 in key":     {"{\"\xff\":1}", "properties", "invalid UTF-8"},
		"half in a key":   {`{"\ud800":1}`, "properties", ""},
		"twice":           {`{"a":1,"a":2}`, "properties.a", "duplicate"},
		"deep":            {`{"a":` + deep + `}`, "properties.a", "nested more than 64 deep"},
		"long key":        {`{"` + strings.Repeat("k", 256) + `":1}`, "properties", "more than 255"},
		"long key inside": {`{"a":{"` + strings.Repeat("k", 256) + `":1}}`, "properties", "more than 255"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := payload.Parse("properties", []byte(tt.raw), limit, payload.All)
			var refused *payload.Error
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want a *payload.Error", err)
			}
			if !strings.HasPrefix(refused.Path, tt.path) || !strings.Contains(refused.Error(), tt.text) {
				t.Errorf("got %v, want path %s and text %q", refused, tt.path, tt.text)
			}
		})
	}
}

func TestStored(t *testing.T) {
	t.Parallel()
	o, err := payload.Stored([]byte(`{"a": "x\"y", "b": [1, {"c": 2}], "d": -1.50, "e": true, "f": "é", "g": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range o.Fields {
		lines = append(lines, f.Key+" "+f.Value.String()+" "+string(f.Raw))
	}
	if diff := cmp.Diff([]string{
		`a "x\"y" "x\"y"`, `b a list or object [1, {"c": 2}]`, `d -1.5 -1.50`, `e true true`, `f "é" "é"`, `g a list or object {}`,
	}, lines); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	for _, raw := range []string{"", "[]", `{"a"`, `{"a": }`} {
		if _, err := payload.Stored([]byte(raw)); err == nil {
			t.Errorf("%q: got no error", raw)
		}
	}
}

func BenchmarkStored(b *testing.B) {
	raw := []byte("{")
	for i := range 50 {
		raw = fmt.Appendf(raw, `"property_%02d": "value-%02d", `, i, i)
	}
	raw = append(raw, `"n": 12.5}`...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := payload.Stored(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	_, err := payload.Parse("traits", []byte(`{"a":"0123456789"}`), 10, payload.All)
	if err == nil || err.Error() != "traits: is 18 bytes, more than the 10 that are allowed" {
		t.Errorf("got %v", err)
	}
}

func TestFromMap(t *testing.T) {
	t.Parallel()
	o, err := payload.FromMap("traits", map[string]any{"a": int64(1) << 60}, limit, payload.All)
	if err != nil || string(o.Raw) != `{"a":1152921504606846976}` {
		t.Errorf("got %s, %v", o.Raw, err)
	}
	if _, err := payload.FromMap("traits", map[string]any{"a": "0123456789"}, 15, payload.All); err == nil {
		t.Error("too long: got no error")
	}
	for name, v := range map[string]any{"nan": math.NaN(), "text": "\xff", "func": func() {}, "number": json.Number("1e400")} {
		var refused *payload.Error
		if _, err := payload.FromMap("traits", map[string]any{"x": v}, limit, payload.All); !errors.As(err, &refused) || refused.Path != "traits.x" {
			t.Errorf("%s: got %v, want a refusal of traits.x", name, err)
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	o, err := payload.Parse("p", []byte(`{"a":5,"b":5.0,"c":"5","d":[1],"e":[1],"f":[2],"g":null}`), limit, payload.All)
	if err != nil {
		t.Fatal(err)
	}
	get := func(key string) payload.Field {
		for _, f := range o.Fields {
			if f.Key == key {
				return f
			}
		}
		return payload.Field{Key: key}
	}
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"a", "b", true}, {"a", "c", false}, {"d", "e", true}, {"d", "f", false}, {"g", "missing", true}, {"a", "g", false}} {
		if got := get(tt.a).Same(get(tt.b)); got != tt.want {
			t.Errorf("%s and %s: got %t", tt.a, tt.b, got)
		}
	}
}

// TestFromMapIsParse compares FromMap with Parse on the same object as JSON text.
func TestFromMapIsParse(t *testing.T) {
	t.Parallel()
	deep := any(1)
	for range 63 {
		deep = map[string]any{"a": deep}
	}
	for name, v := range map[string]any{
		"text": "a\"é\u2028<\n", "true": true, "null": nil, "int": -7, "zero": 0.0, "float": 1.5, "small": 1e-7, "large": 1e21, "huge": 1e300,
		"list": []any{1, "x", nil, []any{}}, "object": map[string]any{"b": 1.0, "c": []string{"d"}}, "number": json.Number("1.50"),
		"uint": uint8(3), "deep": deep, "too deep": map[string]any{"a": deep}, "empty key": map[string]any{"": 1},
	} {
		m := map[string]any{"before": 1, "value": v, "x": "y"}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := payload.Parse("p", text, limit, payload.All)
		got, gotErr := payload.FromMap("p", m, limit, payload.All)
		if (wantErr != nil) != (gotErr != nil) {
			t.Errorf("%s: got %v, want %v", name, gotErr, wantErr)
		}
		for i := range want.Fields {
			w, g := want.Fields[i], got.Fields[i]
			if w.Key != g.Key || w.Value != g.Value || !json.Valid(g.Raw) || !w.Same(g) {
				t.Errorf("%s: got %s %v %s, want %s %v %s", name, g.Key, g.Value, g.Raw, w.Key, w.Value, w.Raw)
			}
		}
		if gotErr == nil && !json.Valid(got.Raw) {
			t.Errorf("%s: got %s", name, got.Raw)
		}
	}
}

// FuzzParse checks that everything that passes is JSON with the meaning of the input.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":[{"b":[1,2,{}]},[]],"c":"\u0041"}`, `{"x":1e5,"y":null}`, ` {} `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := payload.Parse("p", raw, limit, payload.All)
		if err != nil || o.Raw == nil {
			return
		}
		var want, got map[string]any
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("%q passed but is not JSON: %v", raw, err)
		}
		if err := json.Unmarshal(o.Raw, &got); err != nil {
			t.Fatalf("%q became %q: %v", raw, o.Raw, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q became %q: %s", raw, o.Raw, diff)
		}
		stored, err := payload.Stored(o.Raw)
		if err != nil || !slices.EqualFunc(stored.Fields, o.Fields, func(a, b payload.Field) bool {
			return a.Key == b.Key && a.Value == b.Value && bytes.Equal(a.Raw, b.Raw)
		}) {
			t.Fatalf("%q is read as %v when stored, %v", o.Raw, stored.Fields, err)
		}
		again, err := payload.Parse("p", o.Raw, limit, payload.All)
		if err != nil || string(again.Raw) != string(o.Raw) {
			t.Fatalf("%q is not stable: %q, %v", o.Raw, again.Raw, err)
		}
	})
}

// TestSameStored compares ingested with stored objects.
func TestSameStored(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`5`, `5.0`, true},
		{`5`, `"5"`, false},
		{`null`, `null`, true},
		{`[1,2]`, `[1, 2]`, true},
		{`[1,2]`, `[2, 1]`, false},
		{`{"a":1,"bb":2}`, `{"bb": 2, "a": 1.0}`, true}, // PostgreSQL has an order of its own
		{`{"a":1}`, `{"a": 2}`, false},
		{`[]`, `{}`, false},
	} {
		a, b := field(t, tt.a), field(t, tt.b)
		if got := a.Same(b); got != tt.want {
			t.Errorf("%s and %s are the same: got %t", tt.a, tt.b, got)
		}
	}
}

// field returns a field with a value.
func field(t *testing.T, value string) payload.Field {
	t.Helper()
	o, err := payload.Stored([]byte(`{"p": ` + value + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return o.Fields[0]
}

// TestAsked keeps only the requested fields, and the whole object as text.
func TestAsked(t *testing.T) {
	t.Parallel()
	asked := payload.Asked{Registry: &table.Registry{
		Events: []table.Event{{Name: "e"}}, Properties: []table.Property{{Name: "b"}}, Fields: []table.Field{{Name: "d"}},
	}}
	m := map[string]any{"a": "long enough to move\n\n\n\n", "b": "é", "c": []any{1.0}, "d": nil}
	parsed, err := payload.Parse("p", []byte(`{"a":"long enough to move\n\n\n\n","b":"é","c":[1],"d":null}`), limit, asked)
	mapped, err2 := payload.FromMap("p", m, limit, asked)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]payload.Object{"parsed": parsed, "mapped": mapped} {
		if want := `{"a":"long enough to move\n\n\n\n","b":"é","c":[1],"d":null}`; string(o.Raw) != want {
			t.Errorf("%s: got %s, want %s", name, o.Raw, want)
		}
		if len(o.Fields) != 2 || string(o.Fields[0].Raw) != `"é"` || o.Fields[0].Value.Text != "é" || o.Fields[1].Key != "d" {
			t.Errorf("%s: got %v", name, o.Fields)
		}
	}
}

// TestNumbersAreCharged sends numbers that PostgreSQL writes without their exponents. The bound is
// on what it stores.
func TestNumbersAreCharged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ sent, stored string }{
		{`{"n":1e2}`, `{"n":100}`},
		{`{"n":[1.5E-7,-2e21]}`, `{"n":[0.00000015,-2000000000000000000000]}`},
		{`{"n":{"m":1e300}}`, `{"n":{"m":1` + strings.Repeat("0", 300) + `}}`},
		{`{"n":5e-324}`, `{"n":0.` + strings.Repeat("0", 323) + `5}`},
	} {
		got, err := payload.Parse("properties", []byte(test.sent), len(test.stored), payload.All)
		if err != nil || string(got.Raw) != test.stored {
			t.Errorf("%s: got %s, %v, want %s", test.sent, got.Raw, err, test.stored)
		}
		_, err = payload.Parse("properties", []byte(test.sent), len(test.stored)-len("}}}"), payload.All)
		if refused, ok := errors.AsType[*payload.Error](err); !ok || !strings.HasPrefix(refused.Path, "properties") {
			t.Errorf("%s with less room: got %v, want it to be refused", test.sent, err)
		}
	}
}
