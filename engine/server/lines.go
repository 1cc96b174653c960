package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/printable"
	"github.com/bucketgen/bucketgen/internal/segment"
	"github.com/bucketgen/bucketgen/internal/strictjson"
)

// parse reads a line: a call in the shape of Segment's, which says when it happened.
func parse(text []byte) (engine.Event, error) {
	c, err := segment.Parse(strictjson.SkipMark(text))
	if err != nil {
		return engine.Event{}, err
	}
	ev, err := c.Read()
	if err == nil && ev.OccurredAt.IsZero() {
		err = &engine.InvalidError{Field: "timestamp", Problem: "is missing"}
	}
	return ev, err
}

// lineReader reads events from lines, remembers which line each came from, and reports the lines
// that are refused.
type lineReader struct {
	out io.Writer // of the reports

	mu      sync.Mutex
	numbers []int64 // of the lines of the events that were handed on, by their place
	refused int64
}

const maxLine = 16 << 20

// read returns the events of the lines.
func (r *lineReader) read(in io.Reader) (iter.Seq2[engine.Event, error], error) {
	in, err := unzipped(in)
	if err != nil {
		return nil, err
	}
	return func(yield func(engine.Event, error) bool) {
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, maxLine)
		n := int64(1)
		for ; scanner.Scan(); n++ {
			text := bytes.TrimSpace(scanner.Bytes())
			if len(text) == 0 {
				continue
			}
			ev, err := parse(text)
			if err != nil {
				r.refuse(n, err)
				continue
			}
			r.remember(n)
			if !yield(ev, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("it is longer than %d bytes", maxLine)
			}
			yield(engine.Event{}, fmt.Errorf("read line %d: %w", n, err))
		}
	}, nil
}

func (r *lineReader) remember(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numbers = append(r.numbers, n)
}

// refuse reports a line that was refused, if it is among the first few.
func (r *lineReader) refuse(n int64, err error) {
	const most = 20
	r.mu.Lock()
	defer r.mu.Unlock()
	switch r.refused++; {
	case r.refused <= most:
		printable.Fprintf(r.out, "line %d: %v\n", n, err)
	case r.refused == most+1:
		printable.Fprintf(r.out, "more lines were refused; they are counted only\n")
	}
}

// refuseEvent is as refuse, with the place of the event that the line gave.
func (r *lineReader) refuseEvent(place int64, err error) {
	r.mu.Lock()
	n := r.numbers[place-1]
	r.mu.Unlock()
	r.refuse(n, segment.Named(err))
}

// count returns how many lines were refused.
func (r *lineReader) count() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}

// unzipped decompresses what is compressed.
func unzipped(in io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(in, 1<<16)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		return gzip.NewReader(buffered)
	}
	return buffered, nil
}

// interruptible returns a reader that gives up when ctx ends, also while nothing comes: input may
// never be typed into the terminal that is read. The goroutine that waits for input then stays
// until there is some.
func interruptible(ctx context.Context, in io.Reader) io.ReadCloser {
	out, pipe := io.Pipe()
	go func() {
		_, err := io.Copy(pipe, in)
		_ = pipe.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { _ = pipe.CloseWithError(context.Cause(ctx)) })
	return out
}
