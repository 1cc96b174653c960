package table

import (
	"sync"
	"time"
)

// Calendar is a kind of period of the calendar. One period of each kind contains now.
type Calendar uint8

// The kinds of periods. Weeks begin on Monday.
const (
	NoCalendar Calendar = iota
	Day
	Week
	Month
)

// period returns the first day of the period that contains a day, and the first day of the next
// period.
func (c Calendar) period(d day) (first, next day) {
	switch c {
	case Week:
		monday := d - day((d.date().Weekday()+6)%7)
		return monday, monday + 7
	case Month:
		begin := d.date().AddDate(0, 0, 1-d.date().Day())
		return dayOfDate(begin), dayOfDate(begin.AddDate(0, 1, 0))
	default:
		return d, d + 1
	}
}

// Today holds while the property is an instant of the present day in a time zone.
func (f *Facts) Today(p PropertyIndex, zone string) Verdict { return f.calendar(p, zone, Day) }

// ThisWeek holds while the property is an instant of the present week, from Monday on, in a time
// zone.
func (f *Facts) ThisWeek(p PropertyIndex, zone string) Verdict { return f.calendar(p, zone, Week) }

// ThisMonth holds while the property is an instant of the present month in a time zone.
func (f *Facts) ThisMonth(p PropertyIndex, zone string) Verdict { return f.calendar(p, zone, Month) }

// calendar holds while now is in the period to which the property, an instant, belongs. Nothing
// holds in an unknown time zone, which bucketgen refuses.
func (f *Facts) calendar(p PropertyIndex, zone string, c Calendar) Verdict {
	v := f.value(p)
	if v.Kind != Time {
		return fixed(false)
	}
	loc := location(zone)
	if loc == nil {
		return fixed(false)
	}
	first, next := c.period(dayOf(v.Time, loc))
	return f.between(true, first.begin(loc), next.begin(loc))
}

// locations caches the time zones that criteria of this process use. Generated code only names
// them.
var locations sync.Map // string to *time.Location, nil if it is not known

func location(zone string) *time.Location {
	if loc, known := locations.Load(zone); known {
		return loc.(*time.Location) //nolint:forcetypeassert // nothing else is stored
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = nil
	}
	locations.Store(zone, loc)
	return loc
}

// day is a day of the calendar, in days since 1970-01-01.
type day int64

const secondsPerDay = 24 * 60 * 60

func (d day) date() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

func dayOfDate(t time.Time) day { return day(floorDiv(t.Unix(), secondsPerDay)) }

// begin returns the first instant at which the calendar of a time zone shows this day or a later
// one. Zones skip midnights, and Samoa skipped a day.
func (d day) begin(loc *time.Location) Instant {
	midnight := int64(d) * secondsPerDay // on the clocks there
	t := time.Unix(midnight, 0).Add(-48 * time.Hour).In(loc)
	for {
		_, offset := t.Zone()
		from, to := t.ZoneBounds() // the offset is the same between them
		begin := midnight - int64(offset)
		if !from.IsZero() {
			begin = max(begin, from.Unix())
		}
		if to.IsZero() || begin < to.Unix() {
			return Instant(begin * 1_000_000)
		}
		t = to
	}
}

// dayOf returns the day that began last at an instant. Where clocks are put back over midnight,
// that differs from the clock: a day that has begun goes on.
func dayOf(i Instant, loc *time.Location) day {
	t := i.Time().In(loc)
	_, offset := t.Zone()
	d := day(floorDiv(t.Unix()+int64(offset), secondsPerDay))
	for (d + 1).begin(loc) <= i {
		d++
	}
	return d
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// dateOf returns the date of an instant in a time zone, as text.
func dateOf(zone string, at Instant) string {
	loc := location(zone)
	if loc == nil {
		return ""
	}
	return dayOf(at, loc).date().Format(time.DateOnly)
}
