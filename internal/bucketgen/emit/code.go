package emit

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/bucketgen/bucketgen/registry/table"
)

// The packages that generated code uses.
const (
	rootPath     = "github.com/bucketgen/bucketgen"
	registryPath = rootPath + "/registry"
	tablePath    = registryPath + "/table"
)

// root names an identifier of package bucketgen.
func root(name string) *jen.Statement { //nolint:unparam // as reg and tbl
	return jen.Qual(rootPath, name)
}

// reg names an identifier of package registry.
func reg(name string) *jen.Statement { return jen.Qual(registryPath, name) }

// tbl names an identifier of package table.
func tbl(name string) *jen.Statement { return jen.Qual(tablePath, name) }

// field is an element of a composite literal with its key.
func field(key string, value jen.Code) jen.Code { return jen.Id(key).Op(":").Add(value) }

// row is the body of a composite literal on one line, block one with a line for each element.
func row(elements ...jen.Code) *jen.Statement { return jen.Values(elements...) }

func block(elements ...jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, elements...)
}

// arguments are those of a call, one a line.
func arguments(args ...jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true}, args...)
}

// slice is a slice literal of a type of package table, with the body.
func slice(typ string, body jen.Code) *jen.Statement { return jen.Index().Add(tbl(typ)).Add(body) }

// names is a slice literal of a type of package table that lists constants. Long lists get one
// constant a line, so that another bucket adds a line.
func names[T any](typ string, of []T, name func(T) string) *jen.Statement {
	elements := make([]jen.Code, len(of))
	for i, v := range of {
		elements[i] = jen.Id(name(v))
	}
	if len(elements) > 4 {
		return slice(typ, block(elements...))
	}
	return slice(typ, row(elements...))
}

// dur is a duration in its largest whole unit: 30 * 24 * time.Hour.
func dur(d time.Duration) *jen.Statement {
	const day = 24 * time.Hour
	unit := func(n time.Duration, name string) *jen.Statement {
		if n == 1 {
			return jen.Qual("time", name)
		}
		return jen.Lit(int(n)).Op("*").Qual("time", name)
	}
	switch {
	case d == 0:
		return jen.Lit(0)
	case d%day == 0 && d != day:
		return jen.Lit(int(d / day)).Op("*").Add(unit(24, "Hour"))
	case d%time.Hour == 0:
		return unit(d/time.Hour, "Hour")
	case d%time.Minute == 0:
		return unit(d/time.Minute, "Minute")
	case d%time.Second == 0:
		return unit(d/time.Second, "Second")
	case d%time.Millisecond == 0:
		return unit(d/time.Millisecond, "Millisecond")
	case d%time.Microsecond == 0:
		return unit(d/time.Microsecond, "Microsecond")
	default:
		return unit(d, "Nanosecond")
	}
}

// number is a float as people write it; jennifer would write 5.0 and 1e+06.
func number(v float64) *jen.Statement {
	if math.Abs(v) >= 1e15 || v != 0 && math.Abs(v) < 1e-6 {
		return jen.Id(strconv.FormatFloat(v, 'g', -1, 64))
	}
	return jen.Id(strconv.FormatFloat(v, 'f', -1, 64))
}

// instant is a number with a comment that shows the instant.
func instant(i table.Instant) *jen.Statement {
	return jen.Id(strconv.FormatInt(int64(i), 10)).Comment("/* " + i.String() + " */")
}

var kindNames = [...]string{
	table.Missing: "Missing", table.Bool: "Bool", table.Number: "Number", table.Text: "Text",
	table.Time: "Time", table.Composite: "Composite", table.List: "List",
}

// value is a value of package table, with the field of its kind even if that is zero.
func value(v table.Value) *jen.Statement {
	if v == (table.Value{}) {
		return tbl("Value").Values()
	}
	fields := []jen.Code{field("Kind", tbl(kindNames[v.Kind]))}
	switch v.Kind {
	case table.Bool:
		fields = append(fields, field("Bool", jen.Lit(v.Bool)))
	case table.Number:
		fields = append(fields, field("Number", number(v.Number)))
	case table.Text:
		fields = append(fields, field("Text", jen.Lit(v.Text)))
	case table.Time:
		fields = append(fields, field("Time", instant(v.Time)))
	case table.Missing, table.Composite, table.List:
	}
	return tbl("Value").Add(row(fields...))
}

// lines is the text as a comment, each line on its own, because a text may contain what ends other
// comments.
func lines(text string) string {
	comment := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range comment {
		switch {
		case line == "":
			comment[i] = "//"
		case line[0] == '\t':
			comment[i] = "//" + line
		default:
			comment[i] = "// " + line
		}
	}
	return strings.Join(comment, "\n")
}
