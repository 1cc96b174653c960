package engine

import "iter"

// pageSize is how many items a page has at most.
const pageSize = 1000

// Page says which part of a list to read. A call that takes one returns the items, and the After of
// the next page: 0 if the list has ended. A page may have fewer items than asked for, or none,
// although others follow.
type Page struct {
	// After is what the call for the page before returned. Defaults to 0, which begins.
	After int64

	// Size is how many items to return at most. Defaults to 1000, which is also the greatest.
	Size int
}

// limit returns how many rows to read.
func (p Page) limit() int32 {
	if p.Size <= 0 {
		return pageSize
	}
	return int32(min(p.Size, pageSize))
}

// next returns the After of the page that follows rows, of which the last has an id.
func (p Page) next(rows int, last func() int64) int64 {
	if rows < int(p.limit()) {
		return 0
	}
	return last()
}

// pages goes through the items of all pages of a list.
func pages[T any](read func(Page) ([]T, int64, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for p := (Page{}); ; {
			items, next, err := read(p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == 0 {
				return
			}
			p.After = next
		}
	}
}
