package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// line is a line of input: a call in the shape of Segment's.
type line struct {
	Type       string          `json:"type"`
	UserID     string          `json:"userId"`
	Event      string          `json:"event"`
	Properties json.RawMessage `json:"properties"`
	Traits     json.RawMessage `json:"traits"`
	Timestamp  string          `json:"timestamp"`
	MessageID  string          `json:"messageId"`
}

// event turns a line into an event.
func (l *line) event() (engine.Event, error) {
	ev := engine.Event{UserID: l.UserID, PropertiesJSON: l.Properties, TraitsJSON: l.Traits, Key: l.MessageID}
	switch l.Type {
	case "track":
		if ev.Name = l.Event; ev.Name == "" {
			return ev, &engine.InvalidError{Field: "event", Problem: "is empty"}
		}
	case "identify":
		if l.Traits == nil {
			ev.TraitsJSON = []byte("{}")
		}
	default:
		return ev, &engine.InvalidError{Field: "type", Problem: fmt.Sprintf("is %q; write track or identify", l.Type)}
	}
	if l.Timestamp == "" {
		return ev, &engine.InvalidError{Field: "timestamp", Problem: "is missing"}
	}
	var err error
	if ev.OccurredAt, err = time.Parse(time.RFC3339Nano, l.Timestamp); err != nil {
		return ev, &engine.InvalidError{Field: "timestamp", Problem: fmt.Sprintf("%q is no time; write it like 2026-11-23T09:30:00Z", l.Timestamp)}
	}
	return ev, nil
}

// lineReader reads events from lines and remembers which line each came from.
type lineReader struct {
	mu      sync.Mutex
	numbers []int64 // of the lines of the events that were handed on, by their place
	refused []refusal
}

// refusal is a line that was refused before it became an event.
type refusal struct {
	line int64
	err  error
}

const maxLine = 16 << 20

// read returns the events of the lines. Lines that are none are remembered as refused.
func (r *lineReader) read(in io.Reader) (iter.Seq2[engine.Event, error], error) {
	in, err := unzipped(in)
	if err != nil {
		return nil, err
	}
	return func(yield func(engine.Event, error) bool) {
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, maxLine)
		for n := int64(1); scanner.Scan(); n++ {
			text := bytes.TrimSpace(scanner.Bytes())
			if len(text) == 0 {
				continue
			}
			ev, err := parse(text)
			r.note(n, err)
			if err == nil && !yield(ev, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("a line is longer than %d bytes", maxLine)
			}
			yield(engine.Event{}, err)
		}
	}, nil
}

func parse(text []byte) (engine.Event, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return engine.Event{}, fmt.Errorf("is no call in JSON: %w", err)
	}
	return l.event()
}

// unzipped decompresses what is compressed.
func unzipped(in io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(in, 1<<16)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		return gzip.NewReader(buffered)
	}
	return buffered, nil
}

func (r *lineReader) note(n int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.refused = append(r.refused, refusal{n, err})
		return
	}
	r.numbers = append(r.numbers, n)
}

// reporter prints refusals, the first few of them.
func (r *lineReader) reporter(out io.Writer) *reporter { return &reporter{lines: r, out: out} }

type reporter struct {
	lines *lineReader
	out   io.Writer
	mu    sync.Mutex
	n     int64
}

// event is called with the place of an event that was refused.
func (p *reporter) event(place int64, err error) {
	p.lines.mu.Lock()
	n := p.lines.numbers[place-1]
	p.lines.mu.Unlock()
	p.report(n, err)
}

func (p *reporter) report(n int64, err error) {
	const most = 20
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.n++; {
	case p.n <= most:
		fmt.Fprintf(p.out, "line %d: %v\n", n, err)
	case p.n == most+1:
		fmt.Fprintln(p.out, "more lines were refused; they are counted")
	}
}

// count reports the lines that were no events and returns how many were refused in all.
func (p *reporter) count() int64 {
	p.lines.mu.Lock()
	early := p.lines.refused
	p.lines.mu.Unlock()
	for _, r := range early {
		p.report(r.line, r.err)
	}
	return p.n
}
