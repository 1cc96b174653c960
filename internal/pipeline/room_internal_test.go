package pipeline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
)

// TestMakeRoomFor checks that arguments which make room are written like those that do not, and
// into that room.
func TestMakeRoomFor(t *testing.T) {
	t.Parallel()
	oids := []uint32{pgtype.Int8ArrayOID, pgtype.Int4OID, pgtype.TextArrayOID, pgtype.Int8ArrayOID}
	arguments := func() []any {
		return []any{asArray([]int64(nil)), int32(7), asArray([]string{"a", "bc"}), asArray(slices.Repeat([]int64{1 << 40}, 1000))}
	}
	m := pgtype.NewMap()
	m.TryWrapEncodePlanFuncs = slices.Insert(m.TryWrapEncodePlanFuncs, 0, planRoomy)
	write := func(args []any, dst []byte) (written [][]byte, all []byte) {
		for i, arg := range args {
			out, err := m.Encode(oids[i], pgtype.BinaryFormatCode, arg, dst)
			if err != nil {
				t.Fatal(err)
			}
			if out == nil {
				written = append(written, nil)
				continue
			}
			written, dst = append(written, out[len(dst):]), out
		}
		return written, dst
	}
	want, _ := write(arguments(), nil)
	args := arguments()
	if size := makeRoomFor(args); size < 12*1000 {
		t.Errorf("there is room for %d bytes", size)
	}
	got, all := write(args, make([]byte, 0, 64))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(want[0]) != 0 || cap(all) > 2*len(all) {
		t.Errorf("%d bytes are in a buffer of %d", len(all), cap(all))
	}
	if &all[len(got[1])] != &got[2][0] {
		t.Error("the buffer moved after room was made")
	}
}

// TestMakeRoomForNothing passes arguments of which none is an array. They stay as they are.
func TestMakeRoomForNothing(t *testing.T) {
	t.Parallel()
	args := []any{"a", 1, asArray([]int32(nil))}
	if size := makeRoomFor(args); size != 0 {
		t.Errorf("room was made for %d bytes", size)
	}
	if _, is := args[2].(roomy); is {
		t.Error("what is null makes room")
	}
}
