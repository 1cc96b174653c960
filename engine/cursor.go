package engine

import "github.com/bucketgen/bucketgen/internal/feed"

// Cursor is how far a feed has read. It is valid in the database that it comes from, for any engine
// there, and can be kept as text. The zero value is no position. Cursors are values and never
// change.
type Cursor struct{ at feed.Cursor }

// IsZero reports whether the cursor is no position.
func (c Cursor) IsZero() bool { return c.at.IsZero() }

// String returns the cursor as text: digits, and some of ".,~". It is long where many transactions
// were under way.
func (c Cursor) String() string { return c.at.String() }

// ParseCursor reads a cursor as String writes it. An empty text is the zero value.
func ParseCursor(text string) (Cursor, error) {
	at, err := feed.ParseCursor(text)
	return Cursor{at}, err
}
