package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bucketgen/bucketgen/gen/db"
)

// Version is the migration that the queries are written for.
const Version = 14

// CheckVersion returns an error unless the tables are those that the queries are written for.
func CheckVersion(ctx context.Context, conn db.DBTX, schema string) error {
	s := &Store{schema: schema}
	version, err := s.Queries(conn).MigrationsVersion(ctx)
	switch {
	case HasCode(err, "42P01"): // no such table
		return fmt.Errorf("schema %q has no tables of bucketgen; run its migrations (bucketd migrate, or migrate.Up)", schema)
	case err != nil:
		return fmt.Errorf("read the version of the tables: %w", err)
	case version < Version:
		return fmt.Errorf("the tables in schema %q are at version %d, and this program needs %d; run its migrations (bucketd migrate, or migrate.Up)", schema, version, Version)
	}
	return nil
}

// HasCode reports whether an error is a refusal of PostgreSQL with a certain code.
func HasCode(err error, code string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == code
}
