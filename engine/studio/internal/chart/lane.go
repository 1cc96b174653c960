package chart

import (
	"bytes"
	"fmt"
	"html"
)

// Stop is an instant on a line, by its share of the line.
type Stop struct {
	Share float64
	Class string
}

// Stops draws instants on a line.
func Stops(marks []Stop) string {
	var b bytes.Buffer
	b.WriteString(`<svg class="stopline" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true"><path class="axis" d="M0 10 H1000"/>`)
	for i, m := range marks {
		fmt.Fprintf(&b, `<path class="%s" data-at="%d" d="M%s 2 V18"/>`, html.EscapeString(m.Class), i, number(1000*m.Share))
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// Span is a part of a line, by shares of the line.
type Span struct {
	From, To float64
	Open     bool // Open reports whether it still lasts.
	Title    string
}

// Lane is a line of a timeline.
type Lane struct {
	Spans []Span
	Ticks []float64
	Dots  []float64
}

// SVG draws the line.
func (l Lane) SVG() string {
	var b bytes.Buffer
	b.WriteString(`<svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label="` +
		fmt.Sprintf("%d stays, %d events", len(l.Spans), len(l.Dots)) + `"><rect class="track" y="2" width="1000" height="16"/>`)
	for _, s := range l.Spans {
		fmt.Fprintf(&b, `<rect class="stay" x="%s" y="4" width="%s" height="12"><title>%s</title></rect>`, number(1000*s.From), number(max(2, 1000*(s.To-s.From))), html.EscapeString(s.Title))
	}
	for _, at := range l.Ticks {
		fmt.Fprintf(&b, `<path class="tick" d="M%s 4 V16"/>`, number(1000*at))
	}
	for _, at := range l.Dots {
		fmt.Fprintf(&b, `<path class="dot" d="M%s 4 V16"/>`, number(1000*at))
	}
	b.WriteString(`</svg>`)
	return b.String()
}
