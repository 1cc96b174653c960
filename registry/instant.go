package registry

import (
	"math"
	"time"
)

// Instant is a moment in microseconds since 1970-01-01T00:00:00Z, the resolution of PostgreSQL.
type Instant int64

const (
	// Never is later than every instant. As a horizon it means that the clock changes nothing.
	Never Instant = math.MaxInt64
	// Unset is no instant at all.
	Unset Instant = math.MinInt64
)

// At returns the instant of t, truncated to microseconds.
func At(t time.Time) Instant {
	return Instant(t.UnixMicro())
}

// Time returns the instant as a time in UTC.
func (i Instant) Time() time.Time {
	return time.UnixMicro(int64(i)).UTC()
}

// Add returns the instant d later, or Never if that is beyond all instants.
func (i Instant) Add(d time.Duration) Instant {
	if i == Never {
		return Never
	}
	return i + Instant(d/time.Microsecond)
}

// Sub returns how much later i is than j, or the longest duration, of about 292 years, where it is more than that.
func (i Instant) Sub(j Instant) time.Duration {
	const most = Instant(math.MaxInt64 / int64(time.Microsecond))
	switch {
	case i >= j && (i-j < 0 || i-j > most):
		return math.MaxInt64
	case i < j && (i-j >= 0 || i-j < -most):
		return math.MinInt64
	}
	return time.Duration(i-j) * time.Microsecond
}

// String returns the instant in RFC 3339 form, or a word for the instants that are none.
func (i Instant) String() string {
	switch i {
	case Never:
		return "never"
	case Unset:
		return "unset"
	}
	return i.Time().Format(time.RFC3339Nano)
}
