package server

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/sheet"
)

// transitionWriter writes joins and leaves as CSV.
type transitionWriter struct {
	csv *sheet.Writer
	err error
}

// textOf returns the id of a user where only one text fits: the user id, or the kind and the value.
func textOf(id engine.ID) string {
	if id.Kind == engine.KindUser {
		return id.Value
	}
	return id.Kind + ":" + id.Value
}

func newTransitionWriter(out io.Writer) *transitionWriter {
	w := &transitionWriter{csv: sheet.NewWriter(out)}
	w.err = w.csv.Write("bucket", "user", "transition", "entryCount", "at")
	return w
}

func (w *transitionWriter) write(t engine.Transition) {
	if t.Kind != engine.Dwell && w.err == nil {
		w.err = w.csv.Write(t.BucketID, textOf(t.Who()), string(t.Kind), strconv.Itoa(t.EntryCount), t.At.Format(time.RFC3339Nano))
	}
}

func (w *transitionWriter) end() error {
	return errors.Join(w.err, w.csv.Flush())
}
