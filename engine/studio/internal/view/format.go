package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Number writes a number with commas.
func Number(n int64) string {
	text := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, text = "−", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// Plural writes a number of things.
func Plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + one + "s"
}

// Percent writes a share.
func Percent(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	share := 100 * float64(part) / float64(whole)
	switch {
	case share > 0 && share < 1:
		return "< 1 %"
	case share > 99 && share < 100:
		return "> 99 %"
	default:
		return strconv.Itoa(int(math.Round(share))) + " %"
	}
}

// Span writes a length of time by its two largest units.
func Span(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	units := []struct {
		name string
		of   time.Duration
	}{{"y", 365 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	var parts []string
	for _, u := range units {
		if n := int64(d / u.of); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			d %= u.of
		} else if len(parts) > 0 {
			break
		}
		if len(parts) == 2 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// Seconds writes a length of time that is given in seconds.
func Seconds(s float64) string {
	if s <= 0 {
		return "–"
	}
	return Span(time.Duration(s * float64(time.Second)))
}

// Relative writes a time by its distance from now.
func Relative(now, at time.Time) string {
	switch d := at.Sub(now); {
	case d > -time.Second && d < time.Second:
		return "now"
	case d > 0:
		return "in " + Span(d)
	default:
		return Span(d) + " ago"
	}
}

// Since writes the distance from now of a time that has passed. It writes nothing for a time to
// come: deployments and names go by the world's clock, which a virtual clock can be behind by
// years.
func Since(now, at time.Time) string {
	if at.Sub(now) > time.Minute {
		return ""
	}
	return Relative(now, at)
}

// Ahead writes by how many milliseconds a clock is ahead of another one, or behind it.
func Ahead(ms int64) string {
	const longest = math.MaxInt64 / int64(time.Millisecond)
	ms = min(max(ms, -longest), longest)
	switch d := time.Duration(ms) * time.Millisecond; {
	case d < 0:
		return Span(d) + " behind"
	case d > 0:
		return Span(d) + " ahead"
	default:
		return "the same"
	}
}

// Clock writes a time of UTC, as short as it can be without doubt.
func Clock(now, at time.Time) string {
	at, now = at.UTC(), now.UTC()
	switch {
	case at.IsZero():
		return "–"
	case at.Year() != now.Year():
		return at.Format("2006 Jan 02 15:04")
	case at.Year() == now.Year() && at.YearDay() == now.YearDay():
		return at.Format("15:04:05")
	default:
		return at.Format("Jan 02 15:04")
	}
}

// Full writes a time of UTC with its seconds.
func Full(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// Stamp writes a time for programs.
func Stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
