package printable

import (
	"fmt"
	"io"
	"reflect"
)

// Fprintf is like [fmt.Fprintf], and prints texts and errors among the arguments like [Text]. An
// argument with a String method is a text that the program composed: it may have several lines, and
// escapes its parts itself.
func Fprintf(out io.Writer, format string, args ...any) error {
	for i := range args { // in place, so that vet checks calls as those of fmt.Fprintf
		args[i] = Arg(args[i])
	}
	_, err := fmt.Fprintf(out, format, args...)
	return err
}

// Arg returns an argument for [fmt] that prints like [Text], if it is a text or an error.
func Arg(arg any) any {
	switch a := arg.(type) {
	case error:
		return text(a.Error())
	case fmt.Stringer, fmt.Formatter:
		return arg
	case string:
		return text(a)
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
		return text(v.String())
	}
	return arg
}

// text is a text that is escaped when it is formatted, so that %q escapes it once.
type text string

// Format formats the text as a string.
func (t text) Format(f fmt.State, verb rune) {
	s := string(t)
	if verb != 'q' && verb != 'x' && verb != 'X' {
		s = Text(s)
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), s)
}
