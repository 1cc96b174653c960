package emit

import (
	"fmt"
	"go/build/constraint"
	"go/doc/comment"
	"strings"
	"unicode"

	"github.com/bucketgen/bucketgen/internal/bucketgen/plan"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// width is where lines of generated sentences break. The author's lines keep their breaks.
const width = 117

func packageDoc(pkg, source string) string {
	return wrap(fmt.Sprintf("Package %s holds the buckets that package %s defines: Registry, which runs them, and names for them, "+
		"their properties and their events that the compiler checks.", pkg, source))
}

// bucketDoc is the author's comment on the bucket, or a sentence instead, and the file of its
// definition.
func bucketDoc(b *table.Bucket, n *plan.Naming) string {
	doc := tidy(n.Doc)
	if doc == "" {
		doc = wrap(sentence(fmt.Sprintf("%s is the bucket %q", n.GoName, b.Name), b.Description))
	}
	return tidy(doc + "\n\nBucket " + b.ID + from("defined", n) + ".")
}

// wordDoc is what the author wrote of a property, an event or a field, or a sentence in its place,
// and where it is declared.
func wordDoc(kind, name string, n *plan.Naming) string {
	doc := tidy(n.Doc)
	if doc == "" {
		return tidy(fmt.Sprintf("%s is the %s %q%s.", n.GoName, kind, name, from("declared", n)))
	}
	return tidy(fmt.Sprintf("%s\n\n%s %q%s.", doc, strings.ToUpper(kind[:1])+kind[1:], name, from("declared", n)))
}

// fieldPath is how comments call a field: address.country.
func fieldPath(f *plan.FieldType) string {
	return strings.Join(append([]string{f.Name}, f.Path...), ".")
}

func tickDoc(n *plan.Naming, i int, t table.Tick) string {
	when := "once in every stay, %s after it began"
	if t.Every {
		when = "every %s for as long as a stay lasts"
	}
	return wrap(fmt.Sprintf("%s ticks for members of %s "+when+".", n.Ticks[i], n.GoName, words.Duration(t.Span)))
}

// tidy formats an author's comment like gofmt. gofmt may need several passes, and it must leave the
// output unchanged. Build constraints of the old form mean nothing here; gofmt drops them
// everywhere.
func tidy(doc string) string {
	var kept strings.Builder
	for line := range strings.Lines(doc) {
		if !constraint.IsPlusBuild("//" + strings.TrimSuffix(line, "\n")) {
			kept.WriteString(line)
		}
	}
	doc = kept.String()
	for range 3 {
		before := doc
		doc = string(new(comment.Printer).Comment(new(comment.Parser).Parse(before)))
		if doc == before {
			break
		}
	}
	return strings.TrimRight(doc, "\n")
}

func from(verb string, n *plan.Naming) string {
	if n.File == "" {
		return ""
	}
	return ", " + verb + " in " + n.File
}

// sentence puts the text, if there is one, after the subject. A text may contain what a comment may
// not.
func sentence(subject, text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.TrimSpace(text)
	if text == "" {
		return subject + "."
	}
	if strings.ContainsAny(text[len(text)-1:], ".!?") {
		return subject + ": " + text
	}
	return subject + ": " + text + "."
}

// wrap breaks a text into lines.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		length := len([]rune(word))
		switch {
		case column == 0:
		case column+1+length > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += length
	}
	return b.String()
}
