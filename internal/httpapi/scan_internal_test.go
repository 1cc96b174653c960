package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestScanner(t *testing.T) {
	t.Parallel()
	all := intake{keys: []string{"writeKey", "api_key", "properties.token"}, items: "batch"}
	one := intake{keys: []string{"writeKey"}}
	for _, tc := range []struct {
		name, body string
		in         intake
		key        string
		items      int
	}{
		{"key behind", `{"batch":[{"a":1},{"b":[1,2]}],"writeKey":"k"}`, all, "k", 2},
		{"key before", "\xef\xbb\xbf {\"writeKey\" : \"k\" , \"batch\" : [ ] }", all, "k", 0},
		{"key inside an item", `{"batch":[{"writeKey":"x","properties":{"token":"x"}}]}`, all, "", 1},
		{"nested key", `{"event":"e","properties":{"token":"k"}}`, all, "k", 0},
		{"nested too deep", `{"properties":{"x":{"token":"k"}}}`, all, "", 0},
		{"nested in another", `{"context":{"token":"k"}}`, all, "", 0},
		{"token outside", `{"token":"k"}`, all, "", 0},
		{"first counts", `{"api_key":"k","writeKey":"x"}`, all, "k", 0},
		{"no string", `{"writeKey":7,"api_key":["x"],"properties":{"token":{"token":"x"}}}`, all, "", 0},
		{"value named so", `{"a":"writeKey","b":"x"}`, all, "", 0},
		{"escaped name", `{"writ\u0065Key":"k","b\u0061tch":[1,1,1]}`, all, "k", 3},
		{"quotes", `{"a\"":"\\","b":"\"writeKey\":\"x\"","writeKey":"k"}`, all, "k", 0},
		{"two batches", `{"batch":[1],"batch":[1,"a,b",[],{}]}`, all, "", 5},
		{"other array", `{"tags":[1,2,3],"batch":{"batch":[1,2]}}`, all, "", 0},
		{"body of items", `[{"batch":[1,2]},[],3]`, all, "", 3},
		{"one item", `{"writeKey":"k","tags":[1,2,3]}`, one, "k", 1},
		{"array for one item", `[1,2,3]`, one, "", 1},
		{"brackets too many", `]]}}{"writeKey":"k"}`, all, "k", 0},
		{"no JSON", `writeKey=k`, all, "", 0},
		{"cut", `{"batch":[1,2,{"a":"`, all, "", 3},
	} {
		for step := 1; step <= len(tc.body); step++ {
			s := newScanner(&tc.in)
			for rest := tc.body; rest != ""; rest = rest[min(step, len(rest)):] {
				s.scan([]byte(rest[:min(step, len(rest))]))
			}
			if s.key != tc.key || s.items != tc.items {
				t.Errorf("%s in parts of %d: got %q and %d items, want %q and %d", tc.name, step, s.key, s.items, tc.key, tc.items)
				break
			}
		}
	}
}

// TestScannerKeepsNothing scans items and names without an allocation for any of them.
func TestScannerKeepsNothing(t *testing.T) { //nolint:paralleltest // it counts allocations
	body := []byte(`{"batch":[` + strings.Repeat(`{"properties":{"a":"b"}},`, 1000) + `1],"properties":{` +
		strings.Repeat(`"name":"value",`, 1000) + `"a":[` + strings.Repeat("[", 1000) + `],"` + strings.Repeat("long", 1000) + `":1`)
	s := newScanner(&intake{keys: []string{"writeKey", "properties.token"}, items: "batch"})
	if n := testing.AllocsPerRun(1, func() { s.scan(body) }); n > 0 {
		t.Errorf("it takes %.0f allocations", n)
	}
}

// FuzzScanner compares the scanner with a reader of JSON that makes a tree.
func FuzzScanner(f *testing.F) { //nolint:gocognit // the other reader is written out
	f.Add(`{"batch":[1,{"a":[]}],"writeKey":"k"}`, 3)
	f.Add(`{"properties":{"token":"k"}}`, 1)
	f.Fuzz(func(t *testing.T, body string, step int) {
		if step = max(1, step&15); !json.Valid([]byte(body)) {
			return
		}
		s := newScanner(&intake{keys: []string{"writeKey"}, items: "batch"})
		for rest := body; rest != ""; rest = rest[min(step, len(rest)):] {
			s.scan([]byte(rest[:min(step, len(rest))]))
		}
		want := 0
		in := json.NewDecoder(strings.NewReader(body))
		first, err := in.Token()
		switch {
		case err == nil && first == json.Delim('['):
			for ; in.More(); want++ {
				var value json.RawMessage
				if err := in.Decode(&value); err != nil {
					t.Fatal(err)
				}
			}
		case err == nil && first == json.Delim('{'):
			for in.More() {
				name, _ := in.Token()
				var value json.RawMessage
				if err := in.Decode(&value); err != nil {
					t.Fatal(err)
				}
				if name == "batch" && value[0] == '[' {
					var all []json.RawMessage
					if err := json.Unmarshal(value, &all); err != nil {
						t.Fatal(err)
					}
					want += len(all)
				}
			}
		}
		if s.items != want {
			t.Errorf("%q: got %d items, want %d", body, s.items, want)
		}
	})
}
