package table

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

// Add returns the instant d later, Never if that is beyond all instants, or Unset if it is before
// all of them.
func (i Instant) Add(d time.Duration) Instant { return i.plus(int64(d / time.Microsecond)) }

func (i Instant) plus(microseconds int64) Instant {
	sum := i + Instant(microseconds)
	switch {
	case i == Never || microseconds > 0 && sum < i:
		return Never
	case microseconds < 0 && sum > i:
		return Unset
	}
	return sum
}

// AddTimes returns the instant n times d later, as Add does.
func (i Instant) AddTimes(n int64, d time.Duration) Instant {
	most, step := int64(math.MaxInt64), int64(d/time.Microsecond)
	if step > 0 && n > most/step {
		return Never
	}
	return i.plus(n * step)
}

// Periods returns how many whole periods of a length lie between j and i, negative if i is earlier.
func (i Instant) Periods(j Instant, length time.Duration) int64 {
	step := max(int64(length/time.Microsecond), 1)
	if apart := i - j; (apart < 0) == (i < j) {
		return int64(apart) / step
	}
	if i < j { // they are further apart than the greatest number of microseconds
		return math.MinInt64 / step
	}
	return math.MaxInt64 / step
}

// Latest is the last instant that RFC 3339 can express: the end of the year 9999.
const Latest Instant = 253402300799_999999

// Sub returns how much later i is than j, limited to the longest duration, of about 292 years.
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

// String returns the instant in RFC 3339 form, or a word for Never and Unset.
func (i Instant) String() string {
	switch i {
	case Never:
		return "never"
	case Unset:
		return "unset"
	}
	return i.Time().Format(time.RFC3339Nano)
}
