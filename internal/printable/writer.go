package printable

import (
	"io"
	"slices"
	"sync"
	"unicode/utf8"
)

// Writer passes on its input like [Lines]. It is the last guard of an output for people: output
// with rows escapes the texts in them by [Text] before. It may be used concurrently as far as the
// writer below may.
type Writer struct {
	out io.Writer

	mu   sync.Mutex
	rest []byte // the beginning of a character that the last call cut
}

// NewWriter returns a writer that hands on to another.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Unwrap returns the writer below, for output that contains no user's text.
func (w *Writer) Unwrap() io.Writer { return w.out }

// Write writes a text. An incomplete character waits for the next call.
func (w *Writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := b
	if len(w.rest) > 0 {
		text = slices.Concat(w.rest, b)
		w.rest = nil
	}
	whole := complete(text)
	if rest := text[whole:]; len(rest) > 0 {
		w.rest = append([]byte(nil), rest...)
	}
	if whole == 0 {
		return len(b), nil
	}
	if _, err := io.WriteString(w.out, Lines(string(text[:whole]))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Flush writes the incomplete character that is still waiting.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := w.rest
	w.rest = nil
	if len(rest) == 0 {
		return nil
	}
	_, err := io.WriteString(w.out, Lines(string(rest)))
	return err
}

// complete returns how many bytes of a text precede an incomplete last character.
func complete(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		last := text[len(text)-n:]
		if utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return len(text)
			}
			return len(text) - n
		}
	}
	return len(text)
}
