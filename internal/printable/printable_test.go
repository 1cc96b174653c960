package printable_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen/internal/printable"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"plain", "ada lovelace", "ada lovelace"},
		{"escape sequence", "\x1b[2J\x1b]0;title\x07", `\x1b[2J\x1b]0;title\x07`},
		{"forged row", "ada\nbob  true\r\tx", `ada\x0abob  true\x0d\x09x`},
		{"C1", "a\u009b2Jb\u0085", `a\u009b2Jb\u0085`},
		{"delete", "a\x7fb", `a\u007fb`},
		{"not UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"replacement character", "a\uFFFDb", "a\uFFFDb"},
		{"bidi overrides and isolates", "a\u202e\u2066b\u200f\u061c", `a\u202e\u2066b\u200f\u061c`},
		{"separators", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"invisible", "a\u200bb\u00ad\u2060\ufeff\u3164\u034f\u115f\u2800", `a\u200bb\u00ad\u2060\ufeff\u3164\u034f\u115f\u2800`},
		{"tags", "a\U000E0041", `a\udb40\udc41`},
		{"joiner in Latin", "a\u200db\u200c", `a\u200db\u200c`},
		{"selector in Latin", "a\ufe0f", `a\ufe0f`},
		{"private use", "\ue000", `\ue000`},
		{"European", "Müller Œuvre Ærø ß ñ €", "Müller Œuvre Ærø ß ñ €"},
		{"combining marks", "e\u0301 n\u0303", "e\u0301 n\u0303"},
		{"East Asian", "東京　한국어 ｆｕｌｌ", "東京　한국어 ｆｕｌｌ"},
		{"right to left", "שלום مرحبا", "שלום مرحبا"},
		{"Persian", "می\u200cخواهم", "می\u200cخواهم"},
		{"Indic", "क्\u200dष ज्\u200c", "क्\u200dष ज्" + `\u200c`},
		{"Thai", "สวัสดี", "สวัสดี"},
		{"emoji", "👩\u200d👩\u200d👧 ❤\ufe0f 👍🏽 1\ufe0f\u20e3 🇩🇪", "👩\u200d👩\u200d👧 ❤\ufe0f 👍🏽 1\ufe0f\u20e3 🇩🇪"},
		{"spaces", "10\u00a0000\u202f€", "10\u00a0000\u202f€"},
		{"backslash", `a\x1b`, `a\x1b`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := printable.Text(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	if got, want := printable.Lines("a\tb\nc\r\x1b\n"), "a\tb\nc"+`\x0d\x1b`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// label is a text of a type of its own.
type label string

func TestFprintf(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := printable.Fprintf(&b, "%s|%q|%-6s|%v|%s|%d|%v\n", "a\nb", "a\x1b", "\x1b", errors.New("c\rd"), label("e\u202e"), 7, time.Minute)
	if want := `a\x0ab|"a\x1b"|\x1b  |c\x0dd|e\u202e|7|1m0s` + "\n"; err != nil || b.String() != want {
		t.Errorf("got %q, %v, want %q", b.String(), err, want)
	}
}

// TestWriter writes a text in pieces that are cut within characters.
func TestWriter(t *testing.T) {
	t.Parallel()
	const text = "a東\x1b\u202e👩\n\xff\xe6\x9d"
	for size := 1; size <= len(text); size++ {
		var b bytes.Buffer
		w := printable.NewWriter(&b)
		for i := 0; i < len(text); i += size {
			piece := text[i:min(i+size, len(text))]
			if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != printable.Lines(text) {
			t.Errorf("in pieces of %d: got %q, want %q", size, got, printable.Lines(text))
		}
	}
}

// FuzzPrintable checks that the output contains nothing that a terminal obeys or hides, that safe
// text stays, and that JSON keeps its meaning.
func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"ada", "\x1b[2J", "a\r\nb", "\u202e", "می\u200cخواهم", "👩\u200d👧", "\xff\xfe", "a\u200d", "\U000E0041"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := printable.Text(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q became %q, which is not UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%q became %q, which has %U", s, got, r)
			}
		}
		if again := printable.Text(got); again != got {
			t.Fatalf("%q became %q, and that %q", s, got, again)
		}
		if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && got != s {
			t.Fatalf("%q is plain, and became %q", s, got)
		}
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var before, after string
		if err := errors.Join(json.Unmarshal(encoded, &before), json.Unmarshal([]byte(printable.Lines(string(encoded))), &after)); err != nil || before != after {
			t.Fatalf("JSON of %q: %v, %q became %q", s, err, before, after)
		}
	})
}
