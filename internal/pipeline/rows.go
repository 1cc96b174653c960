package pipeline

import (
	"reflect"

	"github.com/jackc/pgx/v5"
)

// Each returns a callback that scans each row into a T and passes it to visit. A T is a struct of
// the columns in their order, or the only column.
func Each[T any](visit func(T)) func(pgx.Rows) error {
	return TryEach(func(row T) error {
		visit(row)
		return nil
	})
}

// TryEach is Each for a visit that may fail, which ends it.
func TryEach[T any](visit func(T) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		row, zero := new(T), *new(T)
		into := targets(row)
		for rows.Next() {
			*row = zero // visit may keep the slices of the row before
			if err := rows.Scan(into...); err != nil {
				return err
			}
			if err := visit(*row); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// targets returns pointers to the fields of a struct, or the pointer itself if it is to something
// else.
func targets(row any) []any {
	v := reflect.ValueOf(row).Elem()
	if v.Kind() != reflect.Struct {
		return []any{row}
	}
	into := make([]any, v.NumField())
	for i := range into {
		into[i] = v.Field(i).Addr().Interface()
	}
	return into
}
