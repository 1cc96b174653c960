// Package chart draws charts as SVG. Colours and strokes are those of the page's style sheet, by
// classes. Charts stretch to the width of their place, so labels stand beside them in HTML.
package chart

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strconv"
)

// number writes a coordinate with at most two decimals.
func number(f float64) string {
	text := strconv.FormatFloat(f, 'f', 2, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// Spark draws a small line. It has no labels: the number beside it says how much.
func Spark(values []int64) string {
	if len(values) < 2 {
		return ""
	}
	const width, height, margin = 96.0, 24.0, 2.0
	least, most := slices.Min(values), slices.Max(values)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg class="spark" viewBox="0 0 %s %s" preserveAspectRatio="none" aria-hidden="true"><polyline points="`, number(width), number(height))
	for i, v := range values {
		y := height / 2
		if most > least {
			y = margin + (height-2*margin)*float64(most-v)/float64(most-least)
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(number(float64(i)*width/float64(len(values)-1)) + "," + number(y))
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}

// Share draws a bar of a part of a whole, and, if it is not negative, a mark.
func Share(part, whole int64) string {
	share := 0.0
	if whole > 0 {
		share = min(1, float64(part)/float64(whole))
	}
	return fmt.Sprintf(`<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">`+
		`<rect class="all" width="100" height="8"/><rect class="part" width="%s" height="8"/></svg>`, number(100*share))
}

// Column is a column of a chart of growth.
type Column struct {
	Members, Entered, Left int64
	Title                  string // Title is shown for the column.
	Href                   string // Href leads to what the column consists of; empty for nowhere.
	Mark                   string // Mark is what happened in the column; empty for nothing.
	Day                    string // Day is the date of the column, for choosing a range.
}

// MaxSteps is how many columns a chart has at most.
const MaxSteps = 400

// Growth draws sizes as a line, and below it, in each column, what entered upwards and what left
// downwards.
func Growth(steps []Column) string {
	steps = steps[max(0, len(steps)-MaxSteps):]
	if len(steps) == 0 {
		return ""
	}
	const width, top, low, middle, reach, height = 1000.0, 6.0, 146.0, 196.0, 42.0, 240.0
	least, most, flow := Range(steps)
	column := width / float64(len(steps))
	y := func(members int64) float64 { return low - (low-top)*float64(members-least)/float64(max(1, most-least)) }
	tall := func(n int64) string { return number(reach * float64(n) / float64(max(1, flow))) }
	var b, line bytes.Buffer
	for i, s := range steps {
		at := " "
		if i == 0 {
			at = ""
		}
		fmt.Fprintf(&line, "%s%s,%s", at, number((float64(i)+0.5)*column), number(y(s.Members)))
	}
	fmt.Fprintf(&b, `<svg class="growth" viewBox="0 0 %s %s" preserveAspectRatio="none" role="group" tabindex="0" `+
		`aria-label="Size, entered and left; arrow keys read the columns">`, number(width), number(height))
	fmt.Fprintf(&b, `<path class="grid" d="M0 %s H%s M0 %s H%s M0 %s H%s"/>`, number(top), number(width), number((top+low)/2), number(width), number(low), number(width))
	fmt.Fprintf(&b, `<polygon class="area" points="%s,%s %s %s,%s"/>`, number(column/2), number(low), line.String(), number(width-column/2), number(low))
	fmt.Fprintf(&b, `<polyline class="size" points="%s"/>`, line.String())
	fmt.Fprintf(&b, `<path class="axis" d="M0 %s H%s"/>`, number(middle), number(width))
	for i, s := range steps {
		x, wide := float64(i)*column, max(column*0.72, column-6)
		inset := number(x + (column-wide)/2)
		if s.Mark != "" {
			fmt.Fprintf(&b, `<path class="mark" d="M%s 0 V%s"/>`, number(x+column/2), number(height))
		}
		if s.Href != "" {
			fmt.Fprintf(&b, `<a href="%s" tabindex="-1" data-step="%d" data-day="%s">`, html.EscapeString(s.Href), i, s.Day)
		} else {
			fmt.Fprintf(&b, `<g data-step="%d" data-day="%s">`, i, s.Day)
		}
		fmt.Fprintf(&b, `<title>%s</title><rect class="hit" x="%s" width="%s" height="%s"/>`, html.EscapeString(s.Title), number(x), number(column), number(height))
		if s.Entered > 0 {
			fmt.Fprintf(&b, `<rect class="in" x="%s" y="%s" width="%s" height="%s"/>`, inset, number(middle-reach*float64(s.Entered)/float64(max(1, flow))), number(wide), tall(s.Entered))
		}
		if s.Left > 0 {
			fmt.Fprintf(&b, `<rect class="out" x="%s" y="%s" width="%s" height="%s"/>`, inset, number(middle), number(wide), tall(s.Left))
		}
		if s.Href != "" {
			b.WriteString(`</a>`)
		} else {
			b.WriteString(`</g>`)
		}
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// Range returns the bounds of the axes of a chart of growth: the least and the largest size, and
// the largest flow. The size begins at zero unless it changes by less than a fifth.
func Range(steps []Column) (least, most, flow int64) {
	least, most = steps[0].Members, steps[0].Members
	for _, s := range steps {
		least, most = min(least, s.Members), max(most, s.Members)
		flow = max(flow, s.Entered, s.Left)
	}
	if spread := most - least; spread*5 >= most {
		least = 0
	} else {
		least = max(0, least-spread/4)
	}
	return least, Round(max(most, least+1)), Round(max(1, flow))
}

// Round returns the next number that has at most two digits before its zeros.
func Round(n int64) int64 {
	unit := int64(1)
	for n > 99*unit {
		unit *= 10
	}
	return (n + unit - 1) / unit * unit
}
