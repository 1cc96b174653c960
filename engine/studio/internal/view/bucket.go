package view

import (
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// Label names the step of a chart in which something happened.
func (g *Growth) Label(at time.Time) string {
	at = at.In(g.Zone)
	if g.Step == client.StepHour {
		return at.Truncate(time.Hour).Format("2006 Jan 02 15:04")
	}
	return at.Format("Mon 2006 Jan 02")
}

// stepEnd returns when a step ends.
func (g *Growth) stepEnd(p client.SizePoint) time.Time {
	if g.Step == client.StepHour {
		return p.At.Add(time.Hour)
	}
	return p.At.In(g.Zone).AddDate(0, 0, 1)
}

// across are the labels below a chart.
func across(g Growth) []string {
	const most = 5
	format := "2006 Jan 02"
	if g.Step == client.StepHour {
		format = "Jan 02 15:04"
	}
	n := len(g.Points)
	if n < most {
		return []string{g.Points[0].At.In(g.Zone).Format(format), g.Points[n-1].At.In(g.Zone).Format(format)}
	}
	labels := make([]string, most)
	for i := range labels {
		labels[i] = g.Points[i*(n-1)/(most-1)].At.In(g.Zone).Format(format)
	}
	return labels
}

// rangeWords say which time a list of transitions is limited to.
func rangeWords(p Page) string {
	words := func(name string) string {
		at, err := time.Parse(time.RFC3339Nano, p.Query.Get(name))
		if err != nil {
			return "?"
		}
		return at.UTC().Format("2006 Jan 02 15:04")
	}
	if p.Query.Get("to") == "" {
		return "from " + words("from")
	}
	return words("from") + " – " + words("to")
}

// cause says what caused a transition.
func cause(t client.Transition) string {
	switch t.Reason {
	case client.ReasonMaxDwell:
		return "clock: the maximum dwell ended"
	case client.ReasonRetired:
		return "the bucket was retired"
	default:
		return string(t.Source)
	}
}

func tickWords(t client.Transition) string {
	if t.Tick != "" {
		return "dwell " + t.Tick
	}
	return "dwell " + strconv.FormatInt(t.DwellCount, 10)
}
