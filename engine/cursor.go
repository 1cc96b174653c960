package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
)

// Cursor says how far a feed has been read. It means something in the database that it comes from, to any engine there, and
// can be kept as text. The zero value is no place. Cursors are values and never change.
type Cursor struct {
	told  mark  // all that could be seen here was told
	to    mark  // and of what can be seen here, that with ids up to the place; the zero value: nothing
	place int64 // an id
}

// IsZero reports whether the cursor is no place.
func (c Cursor) IsZero() bool { return c.told.from == 0 }

// String returns the cursor as text: digits, and some of ".,~". It is long where many transactions were under way.
func (c Cursor) String() string {
	switch {
	case c.IsZero():
		return ""
	case c.to.from == 0:
		return c.told.String()
	default:
		return c.told.String() + "~" + c.to.String() + "~" + strconv.FormatInt(c.place, 10)
	}
}

// within reports whether all that was told can be seen now.
func (c Cursor) within(now sight) bool {
	return now.mark.follows(c.told, now.beyond) && (c.to.from == 0 || now.mark.follows(c.to, now.beyond))
}

// ParseCursor reads a cursor as String writes it. Of a text that is empty it is the zero value.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	wrong := fmt.Errorf("cursor: %.60q is none; pass on the text of one as it was given out", text)
	parts := strings.Split(text, "~")
	if len(parts) != 1 && len(parts) != 3 {
		return Cursor{}, wrong
	}
	var c Cursor
	var ok bool
	if c.told, ok = parseMark(parts[0]); !ok {
		return Cursor{}, wrong
	}
	if len(parts) == 1 {
		return c, nil
	}
	var err error
	c.place, err = strconv.ParseInt(parts[2], 10, 64)
	if c.to, ok = parseMark(parts[1]); !ok || err != nil || c.place < 0 {
		return Cursor{}, wrong
	}
	return c, nil
}

// mark is a moment of the log of transitions: what could be seen of it then. That is what was logged by transactions whose
// numbers are smaller than from, and that were not running. Numbers are given when transactions begin, so those that were
// running may log more whenever they commit; and ids of transitions are given before that, so a greater one may be seen
// before a smaller one. But whoever began later has ids that are greater than any that could be seen.
//
// From is not the next number of all, but follows the last that has logged anything. For after a crash PostgreSQL may give a
// number again of which nobody has ever seen anything.
type mark struct {
	from    uint64
	seen    int64 // no greater id could be seen
	running []uint64
}

// markOf returns the mark of a look, at which no less could be seen than at the mark before.
func markOf(row db.TransitionsMarkRow, before mark) mark {
	m := mark{from: max(row.Logged.Uint64, row.Hidden.Uint64) + 1, seen: row.LastID, running: make([]uint64, len(row.Running))}
	for i, xid := range row.Running {
		m.running[i] = xid.Uint64
	}
	return m.after(before)
}

// after returns the mark for who knows of an earlier one: logs lose what is erased, and marks do not go back for it.
func (m mark) after(before mark) mark {
	m.from, m.seen = max(m.from, before.from), max(m.seen, before.seen)
	return m
}

// follows reports whether all that could be seen at an earlier mark can be seen at m, when transactions had numbers up to beyond.
func (m mark) follows(before mark, beyond uint64) bool {
	return before.from <= beyond && !slices.ContainsFunc(m.running, func(xid uint64) bool {
		return xid < before.from && !slices.Contains(before.running, xid)
	})
}

// news reports whether more may be seen at m than at an earlier mark.
func (m mark) news(before mark) bool {
	return m.from != before.from || m.seen != before.seen || len(m.over(before)) > 0
}

// over returns the transactions that were running at an earlier mark and are not any more.
func (m mark) over(before mark) []uint64 {
	var over []uint64
	for _, xid := range before.running {
		if _, still := slices.BinarySearch(m.running, xid); !still {
			over = append(over, xid)
		}
	}
	return over
}

// between returns how to ask for what can be seen at m and could not at an earlier mark.
func (m mark) between(before mark) db.TransitionsBetweenParams {
	return db.TransitionsBetweenParams{
		Late: xids(m.over(before)), Early: xids(before.running), Running: xids(m.running),
		SeenID: before.seen, LastID: m.seen, FromXid: xid(before.from), BeforeXid: xid(m.from),
	}
}

// hidings returns how to ask who was hidden between two marks.
func hidings(before, at mark) db.HidingsBetweenParams {
	return db.HidingsBetweenParams{Late: xids(at.over(before)), Running: xids(slices.Concat(at.running, before.running)), FromXid: xid(before.from), BeforeXid: xid(at.from)}
}

func xid(no uint64) pgtype.Uint64 { return pgtype.Uint64{Uint64: no, Valid: true} }

func xids(nos []uint64) []pgtype.Uint64 {
	out := make([]pgtype.Uint64, len(nos))
	for i, no := range nos {
		out[i] = xid(no)
	}
	return out
}

// String writes the mark as from.seen.running,running.
func (m mark) String() string {
	text := strconv.AppendUint(nil, m.from, 10)
	text = append(text, '.')
	text = strconv.AppendInt(text, m.seen, 10)
	for i, no := range m.running {
		if i == 0 {
			text = append(text, '.')
		} else {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, no, 10)
	}
	return string(text)
}

func parseMark(text string) (mark, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 2 && len(parts) != 3 {
		return mark{}, false
	}
	from, err := strconv.ParseUint(parts[0], 10, 63)
	if err != nil || from == 0 {
		return mark{}, false
	}
	seen, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || seen < 0 {
		return mark{}, false
	}
	m := mark{from: from, seen: seen}
	if len(parts) == 2 {
		return m, true
	}
	for no := range strings.SplitSeq(parts[2], ",") {
		running, err := strconv.ParseUint(no, 10, 63)
		if err != nil {
			return mark{}, false
		}
		m.running = append(m.running, running)
	}
	return m, slices.IsSorted(m.running)
}
