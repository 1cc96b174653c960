// Package picture draws the pictures of docs/img as SVG, readable on light and on dark pages.
package picture

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// Picture is a drawing. Its methods add to it; later parts cover earlier ones.
type Picture struct {
	width, height int
	body          strings.Builder
}

// New returns an empty picture.
func New(width, height int) *Picture { return &Picture{width: width, height: height} }

// style has the colours of both themes. A class says what a thing is, and the style its colours.
const style = `<style>
text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#24292f}
.code{font:12px ui-monospace,SFMono-Regular,Menlo,monospace;white-space:pre}
.small{font-size:11px;fill:#57606a}.strong{font-weight:600}.on{fill:#fff}
.box{fill:#f6f8fa;stroke:#8c959f}.mark{fill:#0969da;stroke:none}.good{fill:#1a7f37;stroke:none}.warn{fill:#bc4c00;stroke:none}
.line{fill:none;stroke:#57606a}.faint{fill:none;stroke:#d0d7de}.screen{fill:#f6f8fa;stroke:#d0d7de}.tip{fill:#57606a}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.on{fill:#0d1117}
.box{fill:#161b22;stroke:#6e7681}.mark{fill:#58a6ff}.good{fill:#3fb950}.warn{fill:#f0883e}
.line{stroke:#9198a1}.faint{stroke:#30363d}.screen{fill:#161b22;stroke:#30363d}.tip{fill:#9198a1}}
</style>`

// SVG returns the picture with a text for those who cannot see it.
func (p *Picture) SVG(alt string) []byte {
	return fmt.Appendf(nil, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" aria-label=\"%s\">\n<title>%[4]s</title>\n%s\n%s</svg>\n",
		p.width, p.height, p.width, html.EscapeString(alt), style, p.body.String())
}

// Box draws a rectangle of a class.
func (p *Picture) Box(class string, x, y, width, height int) {
	fmt.Fprintf(&p.body, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/>\n", class, x, y, width, height)
}

// Text writes a text. The anchor is start, middle or end.
func (p *Picture) Text(class, anchor string, x, y int, text string) {
	fmt.Fprintf(&p.body, "<text class=\"%s\" text-anchor=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", class, anchor, x, y, html.EscapeString(text))
}

// Line draws a line of a class through points.
func (p *Picture) Line(class string, points ...int) {
	p.body.WriteString("<polyline class=\"" + class + "\" points=\"")
	for i := 0; i+1 < len(points); i += 2 {
		fmt.Fprintf(&p.body, "%d,%d ", points[i], points[i+1])
	}
	p.body.WriteString("\"/>\n")
}

// Arrow draws a line with a tip at its end.
func (p *Picture) Arrow(points ...int) {
	p.Line("line", points...)
	n := len(points)
	x, y := points[n-2], points[n-1]
	const size = 7
	switch dx, dy := x-points[n-4], y-points[n-3]; {
	case dx > 0 && dy == 0:
		p.tip(x, y, x-size, y-4, x-size, y+4)
	case dx < 0 && dy == 0:
		p.tip(x, y, x+size, y-4, x+size, y+4)
	case dy > 0:
		p.tip(x, y, x-4, y-size, x+4, y-size)
	default:
		p.tip(x, y, x-4, y+size, x+4, y+size)
	}
}

func (p *Picture) tip(x1, y1, x2, y2, x3, y3 int) {
	fmt.Fprintf(&p.body, "<path class=\"tip\" d=\"M%d %dL%d %dL%d %dZ\"/>\n", x1, y1, x2, y2, x3, y3)
}

// Dot draws a dot of a class.
func (p *Picture) Dot(class string, x, y int) {
	fmt.Fprintf(&p.body, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n", class, x, y)
}

// Terminal draws what a terminal shows: commands begin with "$ ".
func Terminal(title, text string) []byte {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\t", "        "), "\n"), "\n")
	longest := utf8.RuneCountInString(title) + 20
	for _, line := range lines {
		longest = max(longest, utf8.RuneCountInString(line))
	}
	const row, char, top = 18, 73, 52 // a character is 7.3 wide
	p := New(longest*char/10+40, top+row*len(lines)+12)
	p.Box("screen", 1, 1, p.width-2, p.height-2)
	for i := range 3 {
		p.Dot("tip", 18+16*i, 18)
	}
	p.Text("small", "middle", p.width/2, 22, title)
	for i, line := range lines {
		class := "code"
		if strings.HasPrefix(line, "$ ") {
			class = "code strong"
		}
		if line != "" {
			p.Text(class, "start", 20, top+row*i, line)
		}
	}
	return p.SVG("Terminal: " + title + "\n" + text)
}
