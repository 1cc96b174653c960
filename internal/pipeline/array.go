package pipeline

import (
	"github.com/jackc/pgx/v5/pgtype"
)

// array is a slice as an argument. pgx asks for each element by itself. An E is a pointer into the
// slice, so that no element is allocated.
type array[T any, E element] struct {
	slice []T
	of    func(*T) E
}

// element is a pointer to an element, which knows how many bytes it takes.
type element interface{ size() int }

// Dimensions, Index and IndexType make it a [pgtype.ArrayGetter]. A nil slice is null.
func (a array[T, E]) Dimensions() []pgtype.ArrayDimension {
	if a.slice == nil {
		return nil
	}
	return []pgtype.ArrayDimension{{Length: int32(len(a.slice)), LowerBound: 1}}
}

// Index returns a pointer to an element.
func (a array[T, E]) Index(i int) any { return a.of(&a.slice[i]) }

// IndexType returns a pointer of the same type.
func (a array[T, E]) IndexType() any { return a.of(new(T)) }

// size returns how many bytes the array takes.
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

// The types of elements, each of which pgx can write.
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

// asArray returns an argument as an array if it is a slice of one of the four types of elements.
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
