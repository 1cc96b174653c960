// Package inspect reads what people look up about buckets and users: members and transitions by
// filters, users by the beginning of a name, and what happened to one user. It changes nothing.
package inspect

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	defaultSize = 100
	maxSize     = 1000
)

// Reader reads what people look up. It is safe for concurrent use.
type Reader struct {
	Pool     *pgxpool.Pool
	Store    *store.Store
	Registry *table.Registry
	Now      time.Time // Now is the time of all that it reads
}

func (r *Reader) queries() *db.Queries { return r.Store.Queries(r.Pool) }

// limit returns how many items a page has at most.
func limit(size int) int {
	if size <= 0 {
		return defaultSize
	}
	return min(size, maxSize)
}

// cut returns the items of a page, of which one more than its limit was read, and whether others
// follow.
func cut[T any](rows []T, limit int) ([]T, bool) {
	if len(rows) <= limit {
		return rows, false
	}
	return rows[:limit], true
}

// earliest returns a time, or the beginning of all time if it is zero.
func earliest(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	return store.Timestamp(t)
}

// latest returns a time, or the end of all time if it is zero.
func latest(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	return store.Timestamp(t)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
