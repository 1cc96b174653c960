package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
	"github.com/bucketgen/bucketgen/engine/studio/internal/chart"
)

// Named writes the name by which a contact goes. That of a contact without a user id is the kind of
// the id and its value, which begin with characters that no page can show.
func Named(name string) string {
	const sentinel = "\x01"
	return strings.TrimSpace(strings.ReplaceAll(name, sentinel, " "))
}

// isMerged reports whether an id is that of a user who was merged into another one.
func isMerged(id client.ID, merged []string) bool {
	return slices.ContainsFunc(merged, func(name string) bool {
		return name == id.Value || name == id.Kind+":"+id.Value
	})
}

// stopWords say what happens at an instant, for the slider.
func stopWords(now time.Time, s Stop) string {
	parts := make([]string, len(s.Transitions))
	for i, t := range s.Transitions {
		verb := map[client.Kind]string{client.KindEntered: "enters", client.KindLeft: "leaves"}[t.Transition]
		if verb == "" {
			verb = tickWords(t) + " of"
		}
		parts[i] = verb + " " + t.BucketName
	}
	return Full(s.At) + ", " + Relative(now, s.At) + ": " + strings.Join(parts, ", ")
}

// forecastCause says why something will happen, where it is not the criteria.
func forecastCause(t client.Transition) string {
	switch {
	case t.Reason == client.ReasonMaxDwell:
		return "the maximum dwell ends"
	case t.Suppressed:
		return "not announced"
	default:
		return ""
	}
}

// stopLine draws the instants of a forecast on a line.
func stopLine(now, until time.Time, stops []Stop) string {
	marks := make([]chart.Stop, len(stops))
	for i, s := range stops {
		class := "tick"
		for _, t := range s.Transitions {
			if t.Transition == client.KindEntered {
				class = "in"
			} else if t.Transition == client.KindLeft && class != "in" {
				class = "out"
			}
		}
		marks[i] = chart.Stop{Share: share(now, until, s.At), Class: class}
	}
	return chart.Stops(marks)
}

func share(from, to, at time.Time) float64 {
	if !to.After(from) {
		return 0
	}
	return min(1, max(0, float64(at.Sub(from))/float64(to.Sub(from))))
}

// laneOf draws a line of a timeline.
func laneOf(l Lane, from, to time.Time) string {
	c := chart.Lane{}
	for _, s := range l.Stays {
		end := s.To
		if end.IsZero() {
			end = to
		}
		c.Spans = append(c.Spans, chart.Span{From: share(from, to, s.From), To: share(from, to, end), Open: s.To.IsZero(), Title: s.Title})
	}
	for _, at := range l.Dots {
		c.Dots = append(c.Dots, share(from, to, at))
	}
	for _, at := range l.Ticks {
		c.Ticks = append(c.Ticks, share(from, to, at))
	}
	return c.SVG()
}

// laneLabels are the labels below the lines of a timeline.
func laneLabels(_ []Lane, from, to time.Time) []string {
	const most = 4
	labels := make([]string, most)
	format := "2006 Jan 02"
	if to.Sub(from) < 48*time.Hour {
		format = "Jan 02 15:04"
	}
	for i := range labels {
		labels[i] = from.Add(to.Sub(from) * time.Duration(i) / (most - 1)).UTC().Format(format)
	}
	return labels
}

// policyWords say how the policy of a bucket affects the user.
func policyWords(now time.Time, x client.Explanation) []string {
	var lines []string
	s := x.PolicyEffect
	add := func(format string, at time.Time) {
		if !at.IsZero() {
			lines = append(lines, fmt.Sprintf(format, Full(at)+" ("+Relative(now, at)+")"))
		}
	}
	if s.Blocked {
		lines = append(lines, "The maximum dwell ended and the criteria has held ever since: only an event or a trait lets the user join again.")
	}
	if s.Unannounced {
		lines = append(lines, "A join would not be announced.")
	}
	add("Joins are announced again from %s.", s.AnnouncedFrom)
	add("The user stays at least until %s.", s.StaysUntil)
	add("The user leaves at the latest %s.", s.LeavesBy)
	return lines
}

// valueText writes a value as JSON does; nothing for no value.
func valueText(v any) string {
	if v == nil {
		return ""
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// eventName names a logged event. One without a name only set traits.
func eventName(e client.LoggedEvent) string {
	if e.Name == "" {
		return "traits"
	}
	return e.Name
}

// eventText writes what a logged event carried.
func eventText(e client.LoggedEvent) string {
	text := valueText(e.Properties)
	if traits := valueText(e.Traits); traits != "" && traits != "{}" {
		text += " sets " + traits
	}
	return text
}
