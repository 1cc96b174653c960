package store_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/pgtest"
	"github.com/bucketgen/bucketgen/internal/store"
)

func TestCheckServer(t *testing.T) {
	t.Parallel()
	for number, ok := range map[int32]bool{90624: false, 140023: false, 149999: false, 150000: true, 150018: true, 180001: true} {
		err := store.CheckServer(number, "of a test")
		if (err == nil) != ok {
			t.Errorf("%d: got %v", number, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "PostgreSQL of a test") || !strings.Contains(err.Error(), "PostgreSQL 15 or later")) {
			t.Errorf("%d: got %v, want both versions", number, err)
		}
	}
}

// TestCheckVersion checks programs of several versions, and changes the tables in between.
func TestCheckVersion(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for _, step := range []struct {
		name, sql string
		schema    string
		needs     int64
		version   int64
		want      string // of the error; empty: there is none
	}{
		{name: "no schema", schema: "elsewhere", needs: 1, want: `schema "elsewhere" has no tables of bucketgen`},
		{name: "a program as new as the tables", needs: 1, version: 1},
		{name: "a program that is newer", needs: 2, version: 1, want: "are at version 1, and this program needs 2"},
		{
			name: "a program that is older", needs: 1, version: 3,
			sql: "insert into bucketgen.migrations (version_id, is_applied) values (2, true), (3, true)",
		},
		{
			name: "a program that is too old", needs: 1, version: 3, want: "admit programs of version 2 or later, and this program has 1",
			sql: "update bucketgen.compatibility set oldest_program = 2",
		},
		{name: "the oldest that will do", needs: 2, version: 3},
		{
			name: "tables of before the first release", needs: 1, version: 3, want: `an unreleased version of bucketgen made the tables in schema "bucketgen"`,
			sql: "drop table bucketgen.compatibility",
		},
		{name: "no migration was applied yet", needs: 1, sql: "update bucketgen.migrations set version_id = 0", want: "has no tables of bucketgen"},
	} {
		if _, err := pool.Exec(t.Context(), step.sql); err != nil {
			t.Fatal(err)
		}
		version, err := store.CheckVersionFor(t.Context(), pool, cmp.Or(step.schema, store.DefaultSchema), step.needs)
		if version != step.version || (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: got version %d and %v, want %d and %q", step.name, version, err, step.version, step.want)
		}
	}
}
