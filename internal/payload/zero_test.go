package payload_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// TestOneZero reads every notation of zero: all give one value and one text, since texts of numbers
// distinguish groups.
func TestOneZero(t *testing.T) {
	t.Parallel()
	for _, literal := range []string{"0", "-0", "0.0", "-0.0", "0e5", "-0e5", "-0E-5", "1e-400", "-1e-400", "-0.00000000000000000000000000000000000000000000000001e-300"} {
		o, err := payload.Parse("properties", []byte(`{"n":`+literal+`,"list":[`+literal+`]}`), limit, payload.All)
		if err != nil {
			t.Fatal(err)
		}
		checkZero(t, literal, o, `{"n":0,"list":[0]}`)
		for i := range o.Fields[1:] {
			if raw := string(o.Fields[1+i].Raw); raw != "[0]" {
				t.Errorf("%s in a list: got %s, want [0]", literal, raw)
			}
		}
	}
	for _, number := range []any{0, int64(0), math.Copysign(0, -1), float32(math.Copysign(0, -1)), json.Number("-0.0")} {
		o, err := payload.FromMap("properties", map[string]any{"n": number}, limit, payload.All)
		if err != nil {
			t.Fatal(err)
		}
		checkZero(t, number, o, `{"n":0}`)
	}
	if v, err := payload.StoredValue([]byte("-0")); err != nil || v != (table.Value{Kind: table.Number}) || math.Signbit(v.Number) {
		t.Errorf("stored -0: got %v, %v, want 0", v, err)
	}
}

func checkZero(t *testing.T, written any, o payload.Object, want string) {
	t.Helper()
	v := o.Value("n")
	if string(o.Raw) != want || v.Number != 0 || math.Signbit(v.Number) || v.String() != "0" {
		t.Errorf("%v: got %s with the value %v, want %s with 0", written, o.Raw, v, want)
	}
}
