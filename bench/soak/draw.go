package main

import (
	"bytes"
	"fmt"
	"html"
	"time"
)

// draw draws each curve over time, from 0, with its largest value.
func draw(seen []observation) []byte {
	const width, height, columns, left, top, right, bottom = 330, 130, 2, 46, 26, 14, 24
	rows := (len(curves) + columns - 1) / columns
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", width*columns, height*rows)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width*columns, height*rows)
	text := func(x, y float64, anchor, text string) {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="%s" fill="#333">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
	}
	last := seen[len(seen)-1].at
	for i, c := range curves {
		x0, y0 := float64(i%columns*width), float64(i/columns*height)
		most := 0.0
		for _, o := range seen {
			most = max(most, o.values[i])
		}
		most = max(most, 1)
		name := c.name
		if c.unit != "" {
			name += ", " + c.unit
		}
		text(x0+left, y0+top-8, "start", name)
		text(x0+left-4, y0+top+4, "end", fmt.Sprintf("%.3g", most))
		text(x0+left-4, y0+height-bottom, "end", "0")
		text(x0+width-right, y0+height-bottom+14, "end", last.Round(time.Second).String())
		fmt.Fprintf(&b, `<path d="M%.0f %.0f V%.0f H%.0f" fill="none" stroke="#999"/>`+"\n", x0+left, y0+top, y0+height-bottom, x0+width-right)
		fmt.Fprint(&b, `<polyline fill="none" stroke="#07c" stroke-width="1.5" points="`)
		for _, o := range seen {
			fmt.Fprintf(&b, "%.1f,%.1f ", x0+left+float64(o.at)/float64(last)*(width-left-right),
				y0+height-bottom-o.values[i]/most*(height-top-bottom))
		}
		fmt.Fprint(&b, `"/>`+"\n")
	}
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}
