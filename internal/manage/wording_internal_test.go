package manage

import (
	"errors"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bucketgen/bucketgen/internal/problem"
)

// TestWordings checks a body and parameters as huma does, so that a change of its messages in
// another version is noticed, and checks the messages that replace them.
func TestWordings(t *testing.T) {
	t.Parallel()
	type input struct {
		_     struct{} `additionalProperties:"false"`
		Count int      `json:"count" minimum:"1" maximum:"10"`
		IDs   []int64  `json:"ids,omitempty" minItems:"1" maxItems:"2" nullable:"false"`
		All   bool     `json:"all,omitempty"`
		Step  string   `json:"step,omitempty" enum:"hour,day,week"`
	}
	schemas := huma.NewMapRegistry(refs, huma.DefaultSchemaNamer)
	schema := huma.SchemaFromType(schemas, reflect.TypeFor[input]())
	for _, tc := range []struct {
		name  string
		value any
		want  string
	}{
		{"array", []any{}, "the body is an array; send an object"},
		{"null", nil, "the body is null; send an object"},
		{"text", strings.Repeat("ä", 80), `the body is "` + strings.Repeat("ä", 50) + `…"; send an object`},
		{"unknown", map[string]any{"count": 1, "x": 1}, "x is not a property of this object; see the document at /v1/openapi.json"},
		{"fraction", map[string]any{"count": 1.5}, "count is 1.5; write a whole number"},
		{"text for a number", map[string]any{"count": "1"}, `count is "1"; write a whole number`},
		{"object for a number", map[string]any{"count": map[string]any{}}, "count is an object; write a whole number"},
		{"too small", map[string]any{"count": 0.0}, "count is 0; it must be 1 or more"},
		{"too large", map[string]any{"count": 1e9}, "count is 1000000000; it must be 10 or less"},
		{"no number", map[string]any{"count": math.Inf(1)}, "count is +Inf; it must be 10 or less"},
		{"number for an array", map[string]any{"count": 1.0, "ids": 7.0}, "ids is 7; write an array"},
		{"too few", map[string]any{"count": 1.0, "ids": []any{}}, "ids has too few items; send 1 or more"},
		{"too many", map[string]any{"count": 1.0, "ids": []any{1.0, 2.0, 3.0}}, "ids has too many items; send 2 at most"},
		{"number for a boolean", map[string]any{"count": 1.0, "all": 1.0}, "all is 1; write true or false"},
		{"another word", map[string]any{"count": 1.0, "step": "year"}, `step is "year"; use hour, day or week`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path, result := huma.NewPathBuffer(nil, 0), huma.ValidateResult{}
			path.Push("body")
			huma.Validate(schemas, schema, path, huma.ModeWriteToServer, tc.value, &result)
			m := &huma.ErrorModel{Status: http.StatusUnprocessableEntity}
			for _, err := range result.Errors {
				m.Add(err)
			}
			v, err := ours(nil, "", m)
			p, ok := v.(*problem.Problem)
			if !ok || err != nil || p.Status != http.StatusBadRequest || len(p.Others) > 0 {
				t.Fatalf("got %+v, %v", v, errors.Join(err, errors.Join(result.Errors...)))
			}
			if got := strings.TrimSpace(p.Field + " " + p.Detail); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
