package server

import (
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/bucketgen/bucketgen/internal/printable"
)

// point is what happened to a bucket within an hour or a day, and how many members it had at the
// end of it.
type point struct {
	at                     time.Time
	entered, left, members int64
}

// columns returns how wide a drawing on the output may be, or 0 if it is no terminal.
func columns(out io.Writer) int {
	f, is := terminal(out)
	if !is {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 80
	}
	return width
}

const (
	chartHeight = 6 // lines
	levels      = "▁▂▃▄▅▆▇█"
)

// draw draws the members of a bucket as columns, and what entered and left as one line each, within
// width characters.
func draw(out io.Writer, points []point, width int, layout string) error {
	if len(points) == 0 {
		return nil
	}
	margin := 9
	points = merge(points, max(width-margin, 10))
	var top, entered, left int64
	for _, p := range points {
		top, entered, left = max(top, p.members), max(entered, p.entered), max(left, p.left)
	}
	margin = max(margin, len(strconv.FormatInt(top, 10))+2)
	var text strings.Builder
	for line := chartHeight - 1; line >= 0; line-- {
		label := ""
		if line == chartHeight-1 {
			label = strconv.FormatInt(top, 10)
		}
		printable.Fprintf(&text, "%*s ", margin-1, label)
		for _, p := range points {
			text.WriteRune(cell(p.members, top, line, chartHeight))
		}
		text.WriteByte('\n')
	}
	for _, row := range []struct {
		name  string
		most  int64
		value func(point) int64
	}{
		{"entered", entered, func(p point) int64 { return p.entered }},
		{"left", left, func(p point) int64 { return p.left }},
	} {
		printable.Fprintf(&text, "%*s ", margin-1, row.name)
		for _, p := range points {
			text.WriteRune(cell(row.value(p), row.most, 0, 1))
		}
		printable.Fprintf(&text, " ≤ %d\n", row.most)
	}
	from, to := points[0].at.Format(layout), points[len(points)-1].at.Format(layout)
	printable.Fprintf(&text, "%*s %s%*s\n", margin-1, "", from, max(len(points)-len(from), len(to)+1), to)
	_, err := io.WriteString(out, text.String())
	return err
}

// merge combines neighbouring points so that at most room are left.
func merge(points []point, room int) []point {
	each := (len(points) + room - 1) / room
	if each == 1 {
		return points
	}
	var merged []point
	for i, p := range points {
		if i%each == 0 {
			merged = append(merged, point{at: p.at})
		}
		m := &merged[len(merged)-1]
		m.entered, m.left, m.members = m.entered+p.entered, m.left+p.left, p.members
	}
	return merged
}

// cell returns what of a column that stands for a value is in one of its lines, the lowest of which
// is 0. A value that is not 0 is always seen.
func cell(value, top int64, line, lines int) rune {
	steps := []rune(levels)
	filled := 0
	if value > 0 {
		filled = max(int(value*int64(lines*len(steps))/top), 1)
	}
	switch filled -= line * len(steps); {
	case filled <= 0:
		return ' '
	case filled >= len(steps):
		return steps[len(steps)-1]
	default:
		return steps[filled-1]
	}
}
