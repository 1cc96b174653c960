package store

import "github.com/jackc/pgx/v5/pgtype"

// array is a slice as a statement takes it. pgx asks for each element by itself: as an E, which is a pointer into the
// slice, none has to be allocated.
type array[T any, E element] struct {
	slice []T
	of    func(*T) E
}

// element is an element of an array, which knows how many bytes it takes.
type element interface{ size() int }

// Dimensions, Index and IndexType make it a [pgtype.ArrayGetter].
func (a array[T, E]) Dimensions() []pgtype.ArrayDimension {
	if a.slice == nil {
		return nil // null
	}
	return []pgtype.ArrayDimension{{Length: int32(len(a.slice)), LowerBound: 1}}
}

func (a array[T, E]) Index(i int) any { return a.of(&a.slice[i]) }

func (a array[T, E]) IndexType() any { return a.of(new(T)) }

// size is how many bytes the array takes.
func (a array[T, E]) size() int {
	if a.slice == nil {
		return 0
	}
	const header, length = 20, 4
	n := header + length*len(a.slice)
	for i := range a.slice {
		n += a.of(&a.slice[i]).size()
	}
	return n
}

// The elements know how to be written.
type (
	text    string
	bigint  int64
	integer int32
	moment  pgtype.Timestamptz
)

func (t *text) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: string(*t), Valid: true}, nil
}

func (n *bigint) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(*n), Valid: true}, nil
}

func (n *integer) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(*n), Valid: true}, nil
}

func (t *moment) TimestamptzValue() (pgtype.Timestamptz, error) { return pgtype.Timestamptz(*t), nil }

func (t *text) size() int  { return len(*t) }
func (*bigint) size() int  { return 8 }
func (*integer) size() int { return 4 }
func (*moment) size() int  { return 8 }

// asArray returns an argument as an array, if it is a slice of what most of them are.
func asArray(arg any) any {
	switch arg := arg.(type) {
	case []string:
		return array[string, *text]{arg, func(s *string) *text { return (*text)(s) }}
	case []int64:
		return array[int64, *bigint]{arg, func(n *int64) *bigint { return (*bigint)(n) }}
	case []int32:
		return array[int32, *integer]{arg, func(n *int32) *integer { return (*integer)(n) }}
	case []pgtype.Timestamptz:
		return array[pgtype.Timestamptz, *moment]{arg, func(t *pgtype.Timestamptz) *moment { return (*moment)(t) }}
	default:
		return arg
	}
}
