package migrate_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// TestChangesAreKept applies the migrations up to the one that gives changes rows of their own, with users between.
func TestChangesAreKept(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), pgtest.NewEmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	files, err := filepath.Glob("sql/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	const moves = "sql/00006_changes.sql"
	if !slices.Contains(files, moves) {
		t.Fatalf("got %v, want %s among them", files, moves)
	}
	run := func(sql string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	run("create schema bucketgen")
	for _, file := range files {
		if file == moves {
			run(`insert into bucketgen.contacts (user_id, created_at, updated_at, changes) values
				('ada', now(), now(), '{"plan": {"was": "free", "at": 1767225600000001}, "seats": {"was": null, "at": -5}}'),
				('bob', now(), now(), '{}'),
				('cy', now(), now(), '{"plan": {"was": {"x": [1, null]}, "at": 1}}')`)
		}
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		run(string(sql))
		if file == moves {
			break
		}
	}
	type change struct {
		User, Property string
		Was            *string
		At             int64
	}
	rows, err := pool.Query(t.Context(), `select c.user_id, p.name, h.was::text, h.changed_at
		from bucketgen.changes h join bucketgen.contacts c on c.id = h.contact_id join bucketgen.properties p on p.no = h.property_no
		order by 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (change, error) {
		var c change
		var at time.Time
		err := row.Scan(&c.User, &c.Property, &c.Was, &at)
		c.At = at.UnixMicro()
		return c, err
	})
	if err != nil {
		t.Fatal(err)
	}
	free, list := `"free"`, `{"x": [1, null]}`
	want := []change{{"ada", "plan", &free, 1767225600000001}, {"ada", "seats", nil, -5}, {"cy", "plan", &list, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
