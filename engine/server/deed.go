package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/problem"
	"github.com/bucketgen/bucketgen/internal/segment"
)

// deed is what a call asks for: an event, or that two users are one.
type deed struct {
	event      engine.Event
	from, into string // of an alias
	alias      bool
}

// deed says what a call asks for.
func (t *tracking) deed(r *request, c *segment.Call, size int, sentAt string) (deed, error) {
	if size > t.config.Event {
		return deed{}, fmt.Errorf("it has %d bytes, more than the %d that are allowed", size, t.config.Event)
	}
	if c.Type == "alias" {
		return deed{from: c.Previous, into: c.UserID, alias: true}, nil
	}
	ev, err := c.Read()
	if err != nil {
		return deed{}, err
	}
	ev.TraitsOnly = !t.config.StoreProperties
	err = segment.Correct(&ev, sentAt, r.received)
	return deed{event: ev}, err
}

// do does what calls ask for, one after the other, unless there is no room for them. It returns what became of each.
func (t *tracking) do(r *request, deeds []deed) ([]engine.Result, error) {
	if !t.engine.Takes(len(deeds)) {
		return nil, problem.Later(http.StatusTooManyRequests, "too many events wait to be stored", time.Second)
	}
	ctx, cancel := context.WithTimeout(r.Context(), t.config.Wait)
	defer cancel()
	results := make([]engine.Result, 0, len(deeds))
	for len(deeds) > 0 {
		some, err := t.next(ctx, deeds)
		switch {
		case errors.Is(err, engine.ErrStopped):
			return nil, problem.Later(http.StatusServiceUnavailable, "the server is about to stop", time.Second)
		case err != nil:
			return nil, err
		}
		results, deeds = append(results, some...), deeds[len(some):]
	}
	return results, nil
}

// next does an alias, if that comes first, or takes in the events up to the next alias.
func (t *tracking) next(ctx context.Context, deeds []deed) ([]engine.Result, error) {
	if first := &deeds[0]; first.alias {
		_, err := t.engine.Merge(ctx, first.from, first.into)
		if _, invalid := errors.AsType[*engine.InvalidError](err); err == nil || invalid || errors.Is(err, engine.ErrDeleted) {
			return []engine.Result{{Err: err}}, nil
		}
		return nil, err
	}
	n := slices.IndexFunc(deeds, func(d deed) bool { return d.alias })
	if n < 0 {
		n = len(deeds)
	}
	events := make([]engine.Event, n)
	for i := range events {
		events[i] = deeds[i].event
	}
	results, err := t.engine.IngestBatch(ctx, events)
	if len(results) == n { // each has its own error
		return results, nil
	}
	return nil, err
}
