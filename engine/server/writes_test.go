package server_test

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/internal/pgtest"
)

// asRole creates a role with the privileges that the engine needs. It returns the URL of the
// database for that role, the name of the role, and a function that runs SQL as a superuser.
func asRole(t *testing.T, database string) (as, role string, exec func(sql string)) {
	t.Helper()
	pool := pgtest.Open(t, database)
	role = "role_" + pool.Config().ConnConfig.Database
	run := func(ctx context.Context, sql string) {
		t.Helper()
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec = func(sql string) { t.Helper(); run(t.Context(), sql) }
	exec("create role " + role + " login")
	t.Cleanup(func() {
		run(context.Background(), "begin read write; drop owned by "+role+"; drop role "+role+"; commit")
	})
	exec("grant usage on schema bucketgen to " + role)
	exec("grant select, insert, update, delete on all tables in schema bucketgen to " + role)
	exec("grant usage on all sequences in schema bucketgen to " + role)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String(), role, exec
}

// TestDoctorReportsPrivileges revokes privileges of a role and makes its database read-only. The
// doctor names the missing privileges, and the GRANT that it prints restores them.
func TestDoctorReportsPrivileges(t *testing.T) {
	t.Parallel()
	database := pgtest.NewURL(t)
	as, role, exec := asRole(t, database)
	h := server.Host{Registry: tracked(t), Name: "bucketd"}
	examine := func() string {
		t.Helper()
		var out bytes.Buffer
		server.Run(t.Context(), h, []string{"doctor", "--database", as}, strings.NewReader(""), &out, io.Discard)
		return out.String()
	}
	says := func(want ...string) string {
		t.Helper()
		got := examine()
		for _, want := range want {
			if !strings.Contains(got, want) {
				t.Errorf("there is no %q in\n%s", want, got)
			}
		}
		return got
	}
	well := "ok      writes       role " + role + " can write all tables"
	says(well)
	for revoked, want := range map[string]string{
		"insert on bucketgen.events":                "FAILED  writes       role " + role + " lacks INSERT on events\n",
		"update, delete on bucketgen.memberships":   "lacks DELETE on memberships, UPDATE on memberships\n",
		"usage on sequence bucketgen.fences":        "lacks USAGE on fences\n",
		"usage on schema bucketgen":                 "FAILED  tables       read the version of the tables: ERROR: permission denied for schema bucketgen",
		"select on bucketgen.migrations":            "FAILED  tables       read the version of the tables: ERROR: permission denied for table migrations",
		"insert on all tables in schema bucketgen ": "lacks INSERT on advances, INSERT on audit, INSERT on buckets, ",
	} {
		exec("revoke " + revoked + " from " + role)
		grants := ""
		for line := range strings.Lines(says(want, "not checked, because the check of the ")) {
			if _, fix, is := strings.Cut(line, " -> GRANT "); is {
				grants = "GRANT " + fix
			}
		}
		exec(grants)
		says(well)
	}
	name := pgtest.Open(t, database).Config().ConnConfig.Database
	exec("alter database " + name + " set default_transaction_read_only = on")
	says("FAILED  writes       transactions are read-only\n", "-> reset default_transaction_read_only")
}
