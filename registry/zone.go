package registry

import (
	"sync"
	"time"
)

// locations are the zones that were asked for. There are few, and loading one reads files.
var locations sync.Map

// location returns a zone by its name. One that this machine does not know is UTC: the generator has refused it, and
// programs of the engine bring all zones with them.
func location(zone string) *time.Location {
	if known, ok := locations.Load(zone); ok {
		return known.(*time.Location) //nolint:forcetypeassert // nothing else is in there
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	locations.Store(zone, loc)
	return loc
}

// period returns the first instant of the period that an instant is in, and that of the next.
func period(c Calendar, zone string, at Instant) (start, end Instant) {
	loc := location(zone)
	t := at.Time().In(loc)
	year, month, day := t.Date()
	// Where clocks go back across midnight, a day has begun already though its date is yesterday's once more.
	if startOf(loc, year, month, day+1) <= at {
		day++
	}
	switch c {
	case Week:
		day -= (int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()) + 6) % 7
		return startOf(loc, year, month, day), startOf(loc, year, month, day+7)
	case Month:
		year, month, _ = time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Date()
		return startOf(loc, year, month, 1), startOf(loc, year, month+1, 1)
	default:
		return startOf(loc, year, month, day), startOf(loc, year, month, day+1)
	}
}

// startOf returns the first instant at which clocks in a zone show a day or a later one: midnight, or what comes instead
// of it where midnight is skipped.
func startOf(loc *time.Location, year int, month time.Month, day int) Instant {
	const widest = 26 * time.Hour // more than any zone is away from UTC
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	t := midnight.Add(-widest).In(loc)
	for {
		_, offset := t.Zone()
		shown := midnight.Add(-time.Duration(offset) * time.Second) // when clocks of this offset show it
		if shown.Before(t) {
			return At(t)
		}
		_, end := t.ZoneBounds()
		if end.IsZero() || shown.Before(end) {
			return At(shown)
		}
		t = end
	}
}

// dayOf returns the day in a zone that an instant is in.
func dayOf(zone string, at Instant) string {
	start, _ := period(Day, zone, at)
	// By noon, clocks show the day whatever they did at its beginning.
	return start.Add(12 * time.Hour).Time().In(location(zone)).Format(time.DateOnly)
}
