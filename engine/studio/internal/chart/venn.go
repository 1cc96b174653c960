package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Circles draws two sets as circles, whose areas and whose common area have the ratio of their
// numbers of members.
func Circles(one, other, both int64) string {
	const reach, margin = 100.0, 2.0
	most := float64(max(1, one, other))
	r, s := reach*math.Sqrt(float64(one)/most), reach*math.Sqrt(float64(other)/most)
	d := apart(r, s, math.Pi*reach*reach*float64(both)/most)
	left, right := min(-r, d-s), max(r, d+s)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="venn" viewBox="%s %s %s %s" aria-hidden="true">`,
		number(left-margin), number(-reach-margin), number(right-left+2*margin), number(2*(reach+margin)))
	fmt.Fprintf(&b, `<circle class="first" r="%s"/><circle class="second" cx="%s" r="%s"/></svg>`, number(r), number(d), number(s))
	return b.String()
}

// apart returns how far apart the centres of two circles are that have an area in common.
func apart(r, s, area float64) float64 {
	near, far := math.Abs(r-s), r+s
	const steps = 60 // halve the distance to less than a pixel of any screen
	for range steps {
		middle := (near + far) / 2
		if lens(r, s, middle) > area {
			near = middle
		} else {
			far = middle
		}
	}
	return (near + far) / 2
}

// lens returns the area that two circles have in common.
func lens(r, s, d float64) float64 {
	switch {
	case r == 0 || s == 0 || d >= r+s:
		return 0
	case d <= math.Abs(r-s):
		return math.Pi * min(r, s) * min(r, s)
	}
	cosine := func(a, b, c float64) float64 { return max(-1, min(1, (a*a+b*b-c*c)/(2*a*b))) }
	alpha, beta := math.Acos(cosine(d, r, s)), math.Acos(cosine(d, s, r))
	return r*r*(alpha-math.Sin(2*alpha)/2) + s*s*(beta-math.Sin(2*beta)/2)
}

// Three draws three sets as circles that are not to scale, with a text in each part. The bits of an
// index of texts say which sets a part is of.
func Three(names [3]string, texts [8]string) string {
	const side, width, height, r = 70, 440, 280, 80 // names of buckets need the sides
	centres := [3][2]int{{110, 110}, {190, 110}, {150, 180}}
	parts := [8][2]int{1: {76, 92}, 2: {224, 92}, 3: {150, 82}, 4: {150, 222}, 5: {104, 156}, 6: {196, 156}, 7: {150, 134}}
	labels := [3]struct {
		x, y   int
		anchor string
	}{{140, 20, "end"}, {160, 20, "start"}, {150, 276, "middle"}}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="venn" viewBox="%d 0 %d %d" aria-hidden="true">`, -side, width, height)
	for i, class := range []string{"first", "second", "third"} {
		fmt.Fprintf(&b, `<circle class="%s" cx="%d" cy="%d" r="%d"/>`, class, centres[i][0], centres[i][1], r)
	}
	for i, l := range labels {
		fmt.Fprintf(&b, `<text class="name" text-anchor="%s" x="%d" y="%d">%s</text>`, l.anchor, l.x, l.y, html.EscapeString(names[i]))
	}
	for i := 1; i < len(parts); i++ {
		fmt.Fprintf(&b, `<text text-anchor="middle" data-part="%d" x="%d" y="%d">%s</text>`, i, parts[i][0], parts[i][1], html.EscapeString(texts[i]))
	}
	b.WriteString(`</svg>`)
	return b.String()
}
