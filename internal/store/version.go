package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen/gen/db"
)

// Version is the migration that the queries are written for.
const Version = 20

// OutdatedError says that the tables are older than the queries, or not there. Whoever returns it to somebody else says how
// these apply migrations.
type OutdatedError struct {
	Schema  string
	Version int64 // 0: there are none
}

func (e *OutdatedError) Error() string {
	if e.Version == 0 {
		return fmt.Sprintf("schema %q has no tables of bucketgen", e.Schema)
	}
	return fmt.Sprintf("the tables in schema %q are at version %d, and this program needs %d", e.Schema, e.Version, Version)
}

// SupersededError says that the tables do not admit a program that is so old.
type SupersededError struct {
	Schema string
	Oldest int64 // that they admit
}

func (e *SupersededError) Error() string {
	return fmt.Sprintf("the tables in schema %q admit programs of version %d or later, and this program has %d; start a newer one", e.Schema, e.Oldest, Version)
}

// MinServer is the oldest version of PostgreSQL that will do, as server_version_num has it.
const MinServer = 150000

// CheckServer returns an error if a version of PostgreSQL is too old, as server_version_num and server_version have it.
func CheckServer(number int32, version string) error {
	if number < MinServer {
		return fmt.Errorf("the server is PostgreSQL %s, which is too old; update it to PostgreSQL %d or later", version, MinServer/10_000)
	}
	return nil
}

// CheckVersion returns the version of the tables, and an [*OutdatedError] if the queries need a later one. Tables that are newer
// will do, unless they say that they do not admit so old a program, which gives a [*SupersededError]: programs that are about to be
// replaced have to start again beside those that replace them.
func CheckVersion(ctx context.Context, conn db.DBTX, schema string) (int64, error) {
	s := &Store{schema: schema}
	version, err := s.Queries(conn).MigrationsVersion(ctx)
	switch {
	case HasCode(err, "42P01"): // no such table
		return 0, &OutdatedError{Schema: schema}
	case err != nil:
		return 0, fmt.Errorf("read the version of the tables: %w", err)
	case version < Version:
		return version, &OutdatedError{schema, version}
	}
	oldest, err := s.Queries(conn).ProgramsOldest(ctx)
	switch {
	case err != nil:
		return version, fmt.Errorf("read the oldest program that the tables admit: %w", err)
	case oldest > Version:
		return version, &SupersededError{schema, oldest}
	}
	return version, nil
}

// HasCode reports whether an error is a refusal of PostgreSQL with a certain code.
func HasCode(err error, code string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == code
}
