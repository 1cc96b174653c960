package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Duration returns a length of time as people write it: 36h is "1 day 12 hours".
func Duration(d time.Duration) string {
	parts := inUnits(uint64(max(d, 0) / time.Microsecond))
	if n := d % time.Microsecond; n > 0 {
		parts = append(parts, Count(int(n), "nanosecond"))
	}
	return joined(parts)
}

// units are the units of a length of time, in microseconds: a duration of Go ends at 292 years.
var units = []struct {
	name string
	span uint64
}{
	{"day", 24 * 3600e6}, {"hour", 3600e6}, {"minute", 60e6}, {"second", 1e6}, {"millisecond", 1e3}, {"microsecond", 1},
}

func inUnits(microseconds uint64) []string {
	var parts []string
	for _, unit := range units {
		if n := microseconds / unit.span; n > 0 {
			parts = append(parts, Count(int(n), unit.name))
		}
		microseconds %= unit.span
	}
	return parts
}

func joined(parts []string) string {
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// Relative describes roughly how far an instant is from now: "in 2 days 3 hours", "5 minutes ago",
// "now".
func Relative(at, now table.Instant) string {
	switch {
	case at == now:
		return "now"
	case at < now:
		return joined(roughly(uint64(now)-uint64(at))) + " ago"
	default:
		return "in " + joined(roughly(uint64(at)-uint64(now)))
	}
}

// roughly drops details of a length of time: minutes of days, seconds of hours, and so on.
func roughly(microseconds uint64) []string {
	for i, unit := range units[:len(units)-2] {
		if microseconds >= unit.span {
			return inUnits(microseconds - microseconds%units[i+1].span)
		}
	}
	return inUnits(microseconds)
}

// Count returns a number with its unit: "1 day", "2 days".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// times says how often.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return Count(n, "time")
}

// Value returns a value as people write it: texts in quotes, numbers without an exponent unless
// they are very great or very small.
func Value(v table.Value) string {
	if v.Kind == table.Number {
		return number(v.Number)
	}
	return v.String()
}

func number(v float64) string {
	const least, most = 1e-7, 1e21
	if size := math.Abs(v); v != 0 && (size < least || size >= most) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func texts(all []string) string {
	parts := make([]string, len(all))
	for i, text := range all {
		parts[i] = strconv.Quote(text)
	}
	return strings.Join(parts, ", ")
}

func numbers(all []float64) string {
	parts := make([]string, len(all))
	for i, v := range all {
		parts[i] = number(v)
	}
	return strings.Join(parts, ", ")
}

// window describes when occurrences count.
func window(w table.Window) string {
	switch {
	case w.Calendar != table.NoCalendar:
		return period(w.Calendar, w.Zone)
	case w.Until > 0:
		return fmt.Sprintf("between %s and %s ago", Duration(w.Span), Duration(w.Until))
	case w.Span > 0:
		return "in the last " + Duration(w.Span)
	default:
		return "ever"
	}
}

func period(c table.Calendar, zone string) string {
	switch c {
	case table.Week:
		return "this week in " + zone
	case table.Month:
		return "this month in " + zone
	default:
		return "today in " + zone
	}
}

// Window describes which occurrences count.
func Window(w table.Window) string { return window(w) }
