package view

import (
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen/engine/server/client"
)

// stepLabel names a step of a chart.
func stepLabel(p client.SizePoint, step client.Step) string {
	if step == client.StepHour {
		return p.At.UTC().Format("2006 Jan 02 15:04")
	}
	return p.At.UTC().Format("Mon 2006 Jan 02")
}

// StepOf returns the label of the step in which something happened, as the marks of a chart need
// it.
func StepOf(at time.Time, step client.Step) string {
	at = at.UTC()
	if step == client.StepHour {
		return stepLabel(client.SizePoint{At: at.Truncate(time.Hour)}, step)
	}
	return stepLabel(client.SizePoint{At: at}, step)
}

// stepEnd returns when a step ends.
func stepEnd(p client.SizePoint, step client.Step) time.Time {
	if step == client.StepHour {
		return p.At.Add(time.Hour)
	}
	return p.At.AddDate(0, 0, 1)
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
		return []string{g.Points[0].At.UTC().Format(format), g.Points[n-1].At.UTC().Format(format)}
	}
	labels := make([]string, most)
	for i := range labels {
		labels[i] = g.Points[i*(n-1)/(most-1)].At.UTC().Format(format)
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
