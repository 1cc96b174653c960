package bucket

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Entry selects the joins of a user that are announced. The zero value is [Always].
type Entry struct {
	limit  ir.EntryLimit
	period time.Duration
}

// Always announces every join.
func Always() Entry { return Entry{} }

// Once announces the first join of a user and no later one.
func Once() Entry { return Entry{limit: ir.Once} }

// OncePer announces a join if the user's last stay ended at least period ago, or there was none.
// The end of an unannounced stay counts, too. period must be positive.
func OncePer(period time.Duration) Entry {
	return Entry{limit: ir.OncePerPeriod, period: period}
}

// Tick is a dwell tick: an announcement during a stay.
type Tick struct {
	tick ir.Tick
}

// After ticks once in every stay, d after its beginning. d must be positive.
func After(d time.Duration) Tick {
	return Tick{ir.Tick{Span: d, Pos: callerOf(1)}}
}

// Every ticks at d, 2d, 3d ... after the beginning of a stay, as long as it lasts. Ticks that are
// missed in a downtime or a pause come as one: the last, which carries its number. d must be
// positive.
func Every(d time.Duration) Tick {
	return Tick{ir.Tick{Every: true, Span: d, Pos: callerOf(1)}}
}
