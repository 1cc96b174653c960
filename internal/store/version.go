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

// CheckVersion returns the version of the tables, and an [*OutdatedError] if the queries need a later one. Tables that are newer
// will do: programs that are about to be replaced have to start again beside those that replace them.
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
	return version, nil
}

// HasCode reports whether an error is a refusal of PostgreSQL with a certain code.
func HasCode(err error, code string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == code
}
