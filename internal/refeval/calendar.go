package refeval

import (
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// period returns when the day, week or month begins and ends that an instant is in, in the zone of
// the condition.
func period(p *ir.PropertyCheck, t time.Time) (begin, end time.Time) {
	year, month, day := dateOf(t, p.Zone)
	switch p.Operator {
	case ir.Today:
		return beginning(year, month, day, p.Zone), beginning(year, month, day+1, p.Zone)
	case ir.ThisWeek:
		for time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday() != time.Monday {
			day--
		}
		return beginning(year, month, day, p.Zone), beginning(year, month, day+7, p.Zone)
	default:
		return beginning(year, month, 1, p.Zone), beginning(year, month+1, 1, p.Zone)
	}
}

// dateOf returns the last day that has begun by an instant.
func dateOf(t time.Time, zone string) (int, time.Month, int) {
	day := t.UTC().AddDate(0, 0, -3)
	for {
		next := day.AddDate(0, 0, 1)
		if beginning(next.Year(), next.Month(), next.Day(), zone).After(t) {
			return day.Date()
		}
		day = next
	}
}

// beginnings are what beginning has found.
var beginnings sync.Map // dayIn to time.Time

type dayIn struct {
	midnight int64
	zone     string
}

// beginning returns the first instant at which the local calendar shows a day or a later one. It
// checks the calendar once a minute: that is right only where zones changed on whole minutes, as
// they do nowadays.
func beginning(year int, month time.Month, day int, zone string) time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	key := dayIn{midnight.Unix(), zone}
	if t, known := beginnings.Load(key); known {
		return t.(time.Time) //nolint:forcetypeassert // nothing else is stored
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	wanted := midnight.Format(time.DateOnly)
	t := midnight.Add(-26 * time.Hour)
	for t.In(loc).Format(time.DateOnly) < wanted {
		t = t.Add(time.Minute)
	}
	beginnings.Store(key, t)
	return t
}
