package check

import (
	_ "embed"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the same names on every machine

	"github.com/bucketgen/bucketgen/internal/ir"
)

// zoneNames are the names of the IANA time zone database, one a line. A newer database may have
// more; the list serves suggestions only.
//
//go:embed zones.txt
var zoneNames string

func (c *checker) zone(d *ir.Definition, n *ir.Node) {
	c.zoneName(d, n.Pos, method(n.Property), n.Property.Zone)
}

// zoneName checks a time zone that a method was given.
func (c *checker) zoneName(d *ir.Definition, pos ir.Pos, method, name string) {
	switch name {
	case "":
		c.report(pos, d.ID, "%s needs a time zone; write one like \"Europe/Berlin\", or \"UTC\"", method)
	case "Local":
		c.report(pos, d.ID, "the zone \"Local\" is another one on every machine; write one like \"Europe/Berlin\", or \"UTC\"")
	default:
		near, exact := nearZone(name)
		if _, err := time.LoadLocation(name); exact || err == nil && !strings.EqualFold(near, name) {
			return // some machines find names in any letter case
		}
		if near == "" {
			near = "Europe/Berlin"
			c.report(pos, d.ID, "there is no time zone %q; write an IANA name like %q", name, near)
			return
		}
		c.report(pos, d.ID, "there is no time zone %q; write %q", name, near)
	}
}

// nearZone returns the name of the time zone most similar to a name, and whether it is that name,
// or nothing.
func nearZone(name string) (near string, exact bool) {
	zones := strings.Fields(zoneNames)
	if slices.Contains(zones, name) {
		return name, true
	}
	wanted := strings.ToLower(strings.NewReplacer(" ", "_", "-", "_").Replace(name))
	return nearest(zones, wanted, func(zone string) int {
		lower := strings.ToLower(strings.ReplaceAll(zone, "-", "_"))
		_, city, _ := strings.Cut(lower, "/")
		return min(distance(wanted, lower), distance(wanted, city))
	}), false
}

// nearest returns the first of the names with the fewest differences from the wanted one, or
// nothing if all of them differ much.
func nearest(names []string, wanted string, differences func(name string) int) string {
	near, least := "", 1+len(wanted)/4 // with more differences it is another name
	for _, name := range names {
		if d := differences(name); d < least {
			near, least = name, d
		}
	}
	return near
}

// distance is the number of letters to add, drop or replace to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
