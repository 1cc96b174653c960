package bucket

import "time"

// Durations beyond those of package time. A day is 24 hours and a week 7 days, regardless of clock
// changes in any zone.
const (
	Second = time.Second
	Minute = time.Minute
	Hour   = time.Hour
	Day    = 24 * Hour
	Week   = 7 * Day
)
