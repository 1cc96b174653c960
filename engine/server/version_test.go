package server_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// TestOldServersAreRefused lets a server say that it is PostgreSQL 14: a function that is found
// before that of PostgreSQL.
func TestOldServersAreRefused(t *testing.T) {
	t.Parallel()
	database := pgtest.NewURL(t)
	for _, sql := range []string{
		"create schema old",
		`create function old.current_setting(name text) returns text language sql as
			$$ select case name when 'server_version_num' then '140023' when 'server_version' then '14.23' else pg_catalog.current_setting(name) end $$`,
	} {
		if _, err := pgtest.Open(t, database).Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	h := server.Host{Registry: tracked(t), Name: "bucketd", Pool: func(config *pgxpool.Config) error {
		config.ConnConfig.RuntimeParams["search_path"] = "old, pg_catalog"
		return nil
	}}
	for _, args := range []string{"migrate", "deploy", "serve --listen 127.0.0.1:0", "dev --listen 127.0.0.1:0", "doctor"} {
		var out bytes.Buffer
		code := server.Run(t.Context(), h, append(strings.Fields(args), "--database", database), strings.NewReader(""), &out, &out)
		if want := "the server is PostgreSQL 14.23, which is too old; update it to PostgreSQL 15 or later"; code != 2 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d and\n%s\nwant 2 and %q", args, code, out.String(), want)
		}
	}
}
