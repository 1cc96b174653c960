package pipeline

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
)

// TestAsArray compares the bytes of an argument with those that pgx writes for the slice.
func TestAsArray(t *testing.T) {
	t.Parallel()
	at := pgtype.Timestamptz{Time: time.Unix(1, 2000), Valid: true}
	for _, test := range []struct {
		name  string
		oid   uint32
		slice any
	}{
		{"texts", pgtype.TextArrayOID, []string{"a", "", "ü", "NULL"}},
		{"no text", pgtype.TextArrayOID, []string{}},
		{"null", pgtype.TextArrayOID, []string(nil)},
		{"bigints", pgtype.Int8ArrayOID, []int64{0, -1, 1 << 40}},
		{"integers", pgtype.Int4ArrayOID, []int32{0, -1, 1 << 30}},
		{"times", pgtype.TimestamptzArrayOID, []pgtype.Timestamptz{at, {}, {InfinityModifier: pgtype.Infinity, Valid: true}}},
		{"truths", pgtype.BoolArrayOID, []bool{true, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := pgtype.NewMap()
			want, err := m.Encode(test.oid, pgtype.BinaryFormatCode, test.slice, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Encode(test.oid, pgtype.BinaryFormatCode, asArray(test.slice), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if a, is := asArray(test.slice).(measured); is && a.size() < len(want) {
				t.Errorf("it is said to take %d bytes, and takes %d", a.size(), len(want))
			}
		})
	}
}
