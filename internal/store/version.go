package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen/gen/db"
)

// Version is the number of the newest migration, which the queries need.
const Version = 1

// OutdatedError says that the tables are older than the queries, or do not exist. A caller that
// returns it adds how to apply migrations.
type OutdatedError struct {
	Schema  string
	Version int64 // Version is 0 if there are no tables
	Needs   int64 // Needs is the Version of the program
}

func (e *OutdatedError) Error() string {
	if e.Version == 0 {
		return fmt.Sprintf("schema %q has no tables of bucketgen", e.Schema)
	}
	return fmt.Sprintf("the tables in schema %q are at version %d, and this program needs %d", e.Schema, e.Version, e.Needs)
}

// UnreleasedError says that a version of bucketgen from before the first release made the tables.
// Their migrations had other numbers, and no migration leads from them to the present tables.
type UnreleasedError struct {
	Schema string
}

func (e *UnreleasedError) Error() string {
	return fmt.Sprintf("an unreleased version of bucketgen made the tables in schema %q, and no migration can update them; "+
		"use another database or schema, or drop this schema", e.Schema)
}

// SupersededError says that the tables do not admit a program that is so old.
type SupersededError struct {
	Schema string
	Oldest int64 // Oldest is the oldest Version that they admit
	Own    int64 // Own is the Version of the program
}

func (e *SupersededError) Error() string {
	return fmt.Sprintf("the tables in schema %q admit programs of version %d or later, and this program has %d; start a newer one", e.Schema, e.Oldest, e.Own)
}

// MinServer is the oldest supported version of PostgreSQL, as a server_version_num.
const MinServer = 150000

// CheckServer returns an error if a version of PostgreSQL is too old. It takes server_version_num
// and server_version.
func CheckServer(number int32, version string) error {
	if number < MinServer {
		return fmt.Errorf("the server is PostgreSQL %s, which is too old; update it to PostgreSQL %d or later", version, MinServer/10_000)
	}
	return nil
}

// CheckVersion returns the version of the tables, and an [*OutdatedError] if the queries need a
// later one. It accepts newer tables, so that a program that is being replaced can restart beside
// its successor, unless the tables exclude it: that is a [*SupersededError]. Tables of before the
// first release are an [*UnreleasedError].
func CheckVersion(ctx context.Context, conn db.DBTX, schema string) (int64, error) {
	return checkVersion(ctx, conn, schema, Version)
}

func checkVersion(ctx context.Context, conn db.DBTX, schema string, needs int64) (int64, error) {
	const noSuchTable = "42P01"
	queries := QueriesIn(conn, schema)
	version, err := queries.MigrationsVersion(ctx)
	switch {
	case HasCode(err, noSuchTable), err == nil && version == 0:
		return 0, &OutdatedError{schema, 0, needs}
	case err != nil:
		return 0, fmt.Errorf("read the version of the tables: %w", err)
	}
	oldest, err := queries.CompatibilityOldestProgram(ctx)
	switch {
	case HasCode(err, noSuchTable): // the first migration makes it
		return version, &UnreleasedError{schema}
	case err != nil:
		return version, fmt.Errorf("read the oldest program that the tables admit: %w", err)
	case version < needs:
		return version, &OutdatedError{schema, version, needs}
	case oldest > needs:
		return version, &SupersededError{schema, oldest, needs}
	}
	return version, nil
}

// HasCode reports whether an error is a refusal of PostgreSQL with a certain code.
func HasCode(err error, code string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == code
}
