package server

import (
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// transitionWriter writes joins and leaves as CSV.
type transitionWriter struct {
	csv *csv.Writer
	err error
}

func newTransitionWriter(out io.Writer) *transitionWriter {
	w := &transitionWriter{csv: csv.NewWriter(out)}
	w.err = w.csv.Write([]string{"bucket", "user", "transition", "epoch", "at"})
	return w
}

func (w *transitionWriter) write(t engine.Transition) {
	if t.Kind != engine.Dwell && w.err == nil {
		w.err = w.csv.Write([]string{t.BucketID, t.UserID, string(t.Kind), strconv.Itoa(t.EntryCount), t.At.Format(time.RFC3339Nano)})
	}
}

func (w *transitionWriter) end() error {
	w.csv.Flush()
	return errors.Join(w.err, w.csv.Error())
}
