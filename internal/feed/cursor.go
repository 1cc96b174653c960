package feed

import (
	"fmt"
	"strconv"
	"strings"
)

// Cursor is how far a reader has read the log. The zero value is no position. Cursors are values
// and never change.
type Cursor struct {
	delivered snapshot // delivered is the snapshot of which everything visible was delivered
	to        snapshot // to is the snapshot of the batch in which the cursor is; zero: in none
	id        int64    // id is the last delivered one of that batch
}

// IsZero reports whether the cursor is no position.
func (c Cursor) IsZero() bool { return c.delivered.isZero() }

// String returns the cursor as text: digits, and some of ".,~". It is long where many transactions
// were under way.
func (c Cursor) String() string {
	switch {
	case c.IsZero():
		return ""
	case c.to.isZero():
		return c.delivered.String()
	default:
		return c.delivered.String() + "~" + c.to.String() + "~" + strconv.FormatInt(c.id, 10)
	}
}

// ParseCursor reads a cursor as String writes it. An empty text is the zero value.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	invalid := fmt.Errorf("cursor: %.60q is none; pass on the text of one as it was given out", text)
	parts := strings.Split(text, "~")
	if len(parts) != 1 && len(parts) != 3 {
		return Cursor{}, invalid
	}
	var c Cursor
	var ok bool
	if c.delivered, ok = parseSnapshot(parts[0]); !ok {
		return Cursor{}, invalid
	}
	if len(parts) == 1 {
		return c, nil
	}
	var err error
	c.id, err = strconv.ParseInt(parts[2], 10, 64)
	if c.to, ok = parseSnapshot(parts[1]); !ok || err != nil || c.id < 0 {
		return Cursor{}, invalid
	}
	return c, nil
}
