package sheet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/sheet"
)

// read returns the objects of the rows of a text, or a row's error.
func read(t *testing.T, text string, separator rune) []string {
	t.Helper()
	s, err := sheet.Open(strings.NewReader(text), separator)
	if err != nil {
		return []string{err.Error()}
	}
	var all []string
	for row, err := range s.Rows() {
		if err == nil {
			var object []byte
			object, err = row.Object(func(column string) (string, sheet.Type) {
				if column == "user" {
					return "", sheet.Unsaid
				}
				return strings.TrimPrefix(column, "p."), map[string]sheet.Type{"n": sheet.Number}[column]
			})
			if err == nil {
				all = append(all, row.Cell("user")+row.Cell("missing")+" "+string(object))
				continue
			}
		}
		if _, ofLine := errors.AsType[*sheet.LineError](err); !ofLine {
			t.Fatal(err)
		}
		all = append(all, err.Error())
	}
	return all
}

func TestRows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{
			"types", "user,a,n,b:bool,t:time,j:json,x:number,p.y:text\nada,1,2,TRUE,2026-01-01T00:00:00Z,\"[1, {}]\",-1e3,7\n",
			[]string{`ada {"a":"1","b":true,"j":[1,{}],"n":2,"t":"2026-01-01T00:00:00Z","x":-1e3,"y":"7"}`},
		},
		{"empty cells have no value", "user,a,n\nada,,\nbob, ,3", []string{"ada ", `bob {"n":3}`}},
		{"blanks and a mark", "\ufeff user , a : number \n ada , 1 \n", []string{`ada {"a":1}`}},
		{"quotes and lines", "user,a\n\"ada \"\"x\"\"\",\"two\nlines\"\nbob,1", []string{`ada "x" {"a":"two\nlines"}`, `bob {"a":"1"}`}},
		{"wrong cells", "user,a:number,b:bool,t:time,j:json\na,x,,,\nb,,yes,,\nc,,,today,\nd,,,,{\ne,1,,,\nf,\"\"\"1\"\"\",,,", []string{
			`line 2: a: "x" is no number; write it like 1234.5`, `line 3: b: "yes" is neither true nor false`,
			`line 4: t: "today" is no time; write it like 2026-11-23T09:30:00Z`, `line 5: j: "{" is no JSON`, `e {"a":1}`,
			`line 7: a: "\"1\"" is no number; write it like 1234.5`,
		}},
		{"numbers are those of JSON", "user,a:number\na,01\nb,NaN\nc,1e400", []string{
			`line 2: a: "01" is no number; write it like 1234.5`, `line 3: a: "NaN" is no number; write it like 1234.5`, `c {"a":1e400}`,
		}},
		{"wrong lines", "user,a\nada\nbob,1,2\n\nc\"d,1\neve,5", []string{
			"line 2: has 1 cells, and there are 2 columns", "line 3: has 3 cells, and there are 2 columns",
			"line 5: has a quote where none can be; put cells with quotes in quotes, and the quotes in them twice", `eve {"a":"5"}`,
		}},
		{"Latin-1", "user,a\nada,M\xfcnchen\nb\xe9b,1\neve,5", []string{
			"line 2: a: is not valid UTF-8; save the file as UTF-8", "line 3: user: is not valid UTF-8; save the file as UTF-8", `eve {"a":"5"}`,
		}},
		{"Latin-1 column", "user,stra\xdfe\n", []string{"the name of column 2 is not valid UTF-8; save the file as UTF-8"}},
		{"nothing", "", []string{"the file is empty; its first line names the columns"}},
		{"no name", "user,,x\n", []string{"a column has no name; the first line names them all"}},
		{"no type", "user,x:int\n", []string{`column "x": there is no type "int"; write text, number, bool, time or json`}},
		{"twice", "user,x,x:number\n", []string{`two columns are called "x"`}},
		{"no rows", "user,x\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, read(t, test.text, ',')); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := read(t, "user;a\nada;1,5\n", ';'); !cmp.Equal(got, []string{`ada {"a":"1,5"}`}) {
		t.Errorf("separated by ;: got %q", got)
	}
}
