package bucket

import (
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// TimeOf has the conditions on an instant. A [TimeProperty] makes them [Criteria], a [TimeField]
// makes them a [Filter]. An instant may lie in the future.
//
// Today, ThisWeek and ThisMonth count days in a time zone of the IANA database, like
// "Europe/Berlin". A day begins with its first instant there, which is not midnight where the
// clocks are changed at midnight. It lasts until the next one begins, which is not always 24 hours.
type TimeOf[C Condition] struct{ of reference }

// Name returns the name of the property or field.
func (t TimeOf[C]) Name() string { return t.of.name }

// Before holds while the value is an instant before at. Checked when the value is set.
func (t TimeOf[C]) Before(at time.Time) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Before, Value: timeValue(at)})
}

// After holds while the value is an instant after at. Checked when the value is set.
func (t TimeOf[C]) After(at time.Time) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.After, Value: timeValue(at)})
}

// Between holds while the value is an instant from first to last, both included. Checked when the
// value is set.
func (t TimeOf[C]) Between(first, last time.Time) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Between, Values: values([]time.Time{first, last}, timeValue)})
}

// InTheLast holds while the value is an instant in (now-d, now]. Checked when the value is set,
// when the instant comes, and d after it.
func (t TimeOf[C]) InTheLast(d time.Duration) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.InTheLast, Span: d})
}

// MoreThanAgo holds while the value is an instant at least d ago. Checked when the value is set and
// d after the instant.
func (t TimeOf[C]) MoreThanAgo(d time.Duration) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.MoreThanAgo, Span: d})
}

// InTheNext holds while the value is an instant in (now, now+d]: at the instant itself it no longer
// holds. Checked when the value is set, d before the instant, and when it comes.
func (t TimeOf[C]) InTheNext(d time.Duration) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.InTheNext, Span: d})
}

// Today holds while the value is an instant of the present day in the zone. Checked when the value
// is set, and when the day of the instant begins and ends there.
func (t TimeOf[C]) Today(zone string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.Today, Zone: zone})
}

// ThisWeek holds while the value is an instant of the present week in the zone. Weeks begin on
// Mondays, as in ISO 8601. Checked when the value is set, and when the week of the instant begins
// and ends there.
func (t TimeOf[C]) ThisWeek(zone string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.ThisWeek, Zone: zone})
}

// ThisMonth holds while the value is an instant of the present month in the zone. Checked when the
// value is set, and when the month of the instant begins and ends there.
func (t TimeOf[C]) ThisMonth(zone string) C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.ThisMonth, Zone: zone})
}

// Exists holds while there is a value, of any type. Checked when the value is set.
func (t TimeOf[C]) Exists() C { return condition[C](t.of, ir.PropertyCheck{Operator: ir.Exists}) }

// NotExists holds while there is no value. Checked when the value is set.
func (t TimeOf[C]) NotExists() C {
	return condition[C](t.of, ir.PropertyCheck{Operator: ir.NotExists})
}
