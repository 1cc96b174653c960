package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// read returns the members of an object by their names.
func read(text string) (map[string]string, error) {
	got := map[string]string{}
	err := strictjson.Object([]byte(text), func(name, value []byte) error {
		got[string(name)] = string(value)
		return nil
	})
	return got, err
}

func TestObject(t *testing.T) {
	t.Parallel()
	got, err := read(` {"a":1,"A":"x","\u0062":[{"c":{}}], "cut":"\ud83d" } `)
	if err != nil || got["a"] != "1" || got["A"] != `"x"` || got["b"] != `[{"c":{}}]` || got["cut"] != `"\ud83d"` {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestObjectRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":              {"", "is no JSON: it ends too early"},
		"number":               {"7", "is a JSON number; send an object"},
		"array":                {"[]", "is a JSON array; send an object"},
		"null":                 {"null", "is a JSON null; send an object"},
		"cut":                  {`{"a":1`, "is no JSON: it ends too early"},
		"no JSON":              {"not JSON", "is no JSON: invalid character 'o' in literal null (expecting 'u')"},
		"more":                 {`{"a":1}{}`, "is no JSON: it has more text after the value"},
		"more of no JSON":      {`{"a":1}x`, "is no JSON: it has more text after the value"},
		"twice":                {`{"a":1,"a":1}`, "a: is given twice"},
		"twice inside":         {`{"a":[{"b":1,"b":2}]}`, "a.0.b: is given twice"},
		"twice by an escape":   {`{"a":1,"\u0061":1}`, "a: is given twice"},
		"UTF-8":                {"{\"a\":{\"b\":\"\xe9\"}}", "a.b: is not valid UTF-8"},
		"UTF-8 behind a half":  {"{\"a\":\"\\ud83d\",\"b\":\"\xe9\"}", "b: is not valid UTF-8"},
		"UTF-8 in a name":      {"{\"\xe9\":1}", "is not valid UTF-8"},
		"half in a name":       {`{"\ud83d":1}`, `the name "\"\\ud83d\"" is not valid Unicode`},
		"name of another kind": {`{1:1}`, "is no JSON: object member name must be a string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := read(tc.text); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// TestEnvelope refuses mistakes in the object itself, and leaves those in its values to their
// readers.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	skip := func([]byte, []byte) error { return nil }
	if err := strictjson.Envelope([]byte("{\"batch\":[{\"a\":1,\"a\":\"\xe9\"}]}"), skip); err != nil {
		t.Error(err)
	}
	if err := strictjson.Envelope([]byte(`{"a":1,"a":2}`), skip); err == nil || err.Error() != "a: is given twice" {
		t.Errorf("got %v", err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][2]string{ // as text, and as an id
		`"ada"`:                {"ada", "ada"},
		`"\u00e9"`:             {"é", "é"},
		`"x\ud83d"`:            {"x\ufffd", "has half of a surrogate pair"},
		`"\ud83d\ude00"`:       {"😀", "😀"},
		`"\ufffd"`:             {"\ufffd", "\ufffd"},
		"\"\xe9\"":             {notUTF8, notUTF8},
		`null`:                 {"", ""},
		`7`:                    {"is a JSON number; send a string", "7"},
		`-7`:                   {"is a JSON number; send a string", "-7"},
		`12345678901234567890`: {"is a JSON number; send a string", "12345678901234567890"},
		`1.5`:                  {"is a JSON number; send a string", "is the number 1.5; send a string, or an integer"},
		`1e3`:                  {"is a JSON number; send a string", "is the number 1e3; send a string, or an integer"},
		`true`:                 {"is a JSON boolean; send a string", "is a JSON boolean; send a string"},
		`{}`:                   {"is a JSON object; send a string", "is a JSON object; send a string"},
	} {
		for i, read := range []func([]byte) (string, error){strictjson.Text, strictjson.ID} {
			got, err := read([]byte(value))
			if err != nil {
				got = err.Error()
			}
			if got != want[i] {
				t.Errorf("%s: got %q, want %q", value, got, want[i])
			}
		}
	}
}

const notUTF8 = "is not valid UTF-8"

func TestReplaceHalves(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":"\ud83d"}`:                `{"a":"\ufffd"}`,
		`{"a":"\uDE00x\uD83D\uDE00"}`:   `{"a":"\ufffdx\uD83D\uDE00"}`,
		`{"a":"\ud83d\ud83d\ude00"}`:    `{"a":"\ufffd\ud83d\ude00"}`,
		`{"a":"\\ud83d"}`:               `{"a":"\\ud83d"}`,
		`{"a":"\\\ud83d\"\ud83d"}`:      `{"a":"\\\ufffd\"\ufffd"}`,
		`{"\ud83d" : ["\ud83d"]}`:       `{"\ud83d" : ["\ufffd"]}`,
		`"\ud83d`:                       `"\ufffd`,
		`"\ud8`:                         `"\ud8`,
		`["\u00e9","\ud83d\u0041"]`:     `["\u00e9","\ufffd\u0041"]`,
		`{"a":"\ud83d","b":"\udbff\u"}`: `{"a":"\ufffd","b":"\ufffd\u"}`,
	} {
		given := []byte(text)
		if got := string(strictjson.ReplaceHalves(given)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if string(given) != text {
			t.Errorf("%s was changed in place", text)
		}
	}
}

// FuzzObject reads any text. If it passes, it is valid JSON for encoding/json, too, with the same
// meaning.
func FuzzObject(f *testing.F) {
	for _, text := range []string{`{"a":1,"b":{"c":[null,"x\ud83d"]}}`, `{"a":1,"a":2}`, "{\"\xff\":1}", `{`, ``, `[{}]`, `{"\u0061":"\n"} `} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := read(string(text))
		var want map[string]json.RawMessage
		if err != nil {
			return
		}
		if err := json.Unmarshal(text, &want); err != nil || len(got) != len(want) || !utf8.Valid(text) {
			t.Fatalf("%q: got %v, and encoding/json %v, %v", text, got, want, err)
		}
		for name, value := range want {
			if strings.TrimSpace(string(value)) != strings.TrimSpace(got[name]) {
				t.Errorf("%q: %q is %s, and for encoding/json %s", text, name, got[name], value)
			}
		}
		replaced := strictjson.ReplaceHalves(text)
		if !json.Valid(replaced) || len(replaced) != len(text) {
			t.Errorf("%q: got %q", text, replaced)
		}
	})
}
