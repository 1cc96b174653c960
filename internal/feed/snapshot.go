package feed

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
)

// snapshot is what is visible of the log of transitions, in the terms of pg_snapshot: what was
// logged by transactions below xmax that are not in xip. The transactions in xip may log more
// until they commit. Ids of transitions are assigned before the commit, so a greater id may become
// visible before a smaller one. But a transaction that begins later gets ids beyond lastID.
//
// Unlike that of pg_snapshot, xmax is one more than the last transaction that has logged anything.
// After a crash, PostgreSQL may assign an id again of a transaction that left no trace.
type snapshot struct {
	xmax   uint64
	lastID int64    // lastID is the greatest id that is visible
	xip    []uint64 // xip are the transactions in progress, sorted
}

// snapshotOf returns the snapshot that a poll has read. It shows no less than the one before.
func snapshotOf(row db.TransitionsSnapshotRow, before snapshot) snapshot {
	s := snapshot{xmax: max(row.Logged.Uint64, row.Hidden.Uint64) + 1, lastID: row.LastID, xip: make([]uint64, len(row.Running))}
	for i, xid := range row.Running {
		s.xip[i] = xid.Uint64
	}
	return s.atLeast(before)
}

// isZero reports whether nothing was read.
func (s snapshot) isZero() bool { return s.xmax == 0 }

// atLeast returns the snapshot with bounds no lower than those of an earlier one. A log shrinks
// when users are erased, and readers do not go back for that.
func (s snapshot) atLeast(before snapshot) snapshot {
	s.xmax, s.lastID = max(s.xmax, before.xmax), max(s.lastID, before.lastID)
	return s
}

// supersedes reports whether everything that is visible in an earlier snapshot is visible in s, on
// a server where nextXID is greater than that of every transaction.
func (s snapshot) supersedes(before snapshot, nextXID uint64) bool {
	return before.xmax <= nextXID && !slices.ContainsFunc(s.xip, func(xid uint64) bool {
		return xid < before.xmax && !slices.Contains(before.xip, xid)
	})
}

// hasNew reports whether more may be visible in s than in an earlier snapshot.
func (s snapshot) hasNew(before snapshot) bool {
	return s.xmax != before.xmax || s.lastID != before.lastID || len(s.committedSince(before)) > 0
}

// committedSince returns the transactions that were in progress in an earlier snapshot and are not
// any more. Some may have been rolled back, and logged nothing.
func (s snapshot) committedSince(before snapshot) []uint64 {
	var ended []uint64
	for _, xid := range before.xip {
		if _, running := slices.BinarySearch(s.xip, xid); !running {
			ended = append(ended, xid)
		}
	}
	return ended
}

// transitionsSince returns the parameters that select what is visible in s and was not in an
// earlier snapshot.
func (s snapshot) transitionsSince(before snapshot) db.TransitionsBetweenParams {
	return db.TransitionsBetweenParams{
		Late: xids(s.committedSince(before)), Early: xids(before.xip), Running: xids(s.xip),
		SeenID: before.lastID, LastID: s.lastID, FromXid: xid8(before.xmax), BeforeXid: xid8(s.xmax),
	}
}

// hidingsSince is like transitionsSince, for users who were deleted or restored.
func (s snapshot) hidingsSince(before snapshot) db.HidingsBetweenParams {
	return db.HidingsBetweenParams{
		Late: xids(s.committedSince(before)), Running: xids(slices.Concat(s.xip, before.xip)),
		FromXid: xid8(before.xmax), BeforeXid: xid8(s.xmax),
	}
}

func xid8(xid uint64) pgtype.Uint64 { return pgtype.Uint64{Uint64: xid, Valid: true} }

func xids(all []uint64) []pgtype.Uint64 {
	out := make([]pgtype.Uint64, len(all))
	for i, xid := range all {
		out[i] = xid8(xid)
	}
	return out
}

// String writes the snapshot as xmax.lastID.xip,xip.
func (s snapshot) String() string {
	text := strconv.AppendUint(nil, s.xmax, 10)
	text = append(text, '.')
	text = strconv.AppendInt(text, s.lastID, 10)
	for i, xid := range s.xip {
		if i == 0 {
			text = append(text, '.')
		} else {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, xid, 10)
	}
	return string(text)
}

func parseSnapshot(text string) (snapshot, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 2 && len(parts) != 3 {
		return snapshot{}, false
	}
	xmax, err := strconv.ParseUint(parts[0], 10, 63)
	if err != nil || xmax == 0 {
		return snapshot{}, false
	}
	lastID, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || lastID < 0 {
		return snapshot{}, false
	}
	s := snapshot{xmax: xmax, lastID: lastID}
	if len(parts) == 2 {
		return s, true
	}
	for part := range strings.SplitSeq(parts[2], ",") {
		xid, err := strconv.ParseUint(part, 10, 63)
		if err != nil {
			return snapshot{}, false
		}
		s.xip = append(s.xip, xid)
	}
	return s, slices.IsSorted(s.xip)
}
