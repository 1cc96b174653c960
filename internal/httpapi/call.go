package httpapi

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

// effect is what a call asks for: an event, or that two users are one.
type effect struct {
	event      engine.Event
	from, into string // of an alias
	alias      bool
	force      bool // of an alias of a shared id
	ignored    []segment.Ignored
	item       int // by whose call it is asked for
}

// effects says what a call asks for.
func (t *tracking) effects(r *request, c *segment.Call, size int, sentAt string) ([]effect, error) {
	if err := t.fits(size); err != nil {
		return nil, err
	}
	if c.Type == "alias" {
		if err := c.CheckIDs(); err != nil {
			return nil, err
		}
		return []effect{{from: c.Previous, into: c.UserID, alias: true, force: c.Force}}, nil
	}
	ev, err := c.Read()
	if err != nil {
		return nil, err
	}
	d := effect{event: ev}
	if d.event.TraitsOnly, d.event.Untrusted = !t.config.StoreProperties, !r.key.Trusted(); !d.event.Untrusted {
		d.trust(t.engine, c)
	}
	if err := segment.Correct(&d.event, sentAt, r.received); err != nil {
		return nil, err
	}
	return []effect{d}, nil
}

// trust adds the ids that only a trusted key may name: the e-mail address among the traits, and
// external ids of kinds that the program declares.
func (d *effect) trust(e *engine.Engine, c *segment.Call) {
	if c.Type == "identify" {
		d.event.Email = segment.Email(&d.event)
	}
	d.event.IDs, d.ignored = segment.ExternalIDs(c.Context, e.People().Declares)
}

// fits refuses a call that is too large.
func (t *tracking) fits(size int) error {
	if size > t.config.Event {
		return fmt.Errorf("it has %d bytes, more than the %d that are allowed", size, t.config.Event)
	}
	return nil
}

// do does what calls ask for, one after the other, unless there is no room for them, and notes what
// became of each.
func (t *tracking) do(r *request, items []item) error {
	effects := make([]effect, 0, len(items))
	for i := range items {
		for _, d := range items[i].effects {
			for _, ignored := range d.ignored {
				items[i].Warnings = append(items[i].Warnings, warning{ignoredID, short(ignored.Field + " " + ignored.Problem)})
			}
			d.item = i
			effects = append(effects, d)
		}
	}
	if !t.engine.HasRoom(len(effects)) {
		return problem.Later(http.StatusTooManyRequests, "too many events wait to be stored", time.Second)
	}
	ctx, cancel := context.WithTimeout(r.Context(), t.config.Wait)
	defer cancel()
	for len(effects) > 0 {
		results, err := t.next(ctx, r.key, effects)
		switch {
		case errors.Is(err, engine.ErrStopped):
			return problem.Later(http.StatusServiceUnavailable, "the server is about to stop", time.Second)
		case err != nil:
			return err
		}
		for i := range results {
			if err := t.note(r, &items[effects[i].item], &results[i]); err != nil {
				return err
			}
		}
		effects = effects[len(results):]
	}
	return nil
}

// note notes what became of something that a call asked for. A call that asks for two things is
// refused if either is. An error that is about the moment, and not about the call, is returned.
func (t *tracking) note(r *request, it *item, result *engine.Result) error {
	switch {
	case it.Status == refusedItem:
	case engine.Transient(result.Err):
		return result.Err
	case result.Err != nil:
		it.refuse(t.refused(r, it, result.Err))
	case result.Suppressed:
		it.Status = suppressedItem
	case result.Duplicate:
		it.Status = duplicateItem
	default:
		it.Status = acceptedItem
	}
	for _, w := range result.Warnings {
		it.Warnings = append(it.Warnings, warning{w.Code, short(w.Problem)})
	}
	return nil
}

// next does an alias, if that comes first, or takes in the events up to the next alias.
func (t *tracking) next(ctx context.Context, k key, effects []effect) ([]engine.Result, error) {
	if first := &effects[0]; first.alias {
		err := t.alias(ctx, k, first)
		_, invalid := errors.AsType[*engine.InvalidError](err)
		if errors.Is(err, engine.ErrSuppressed) {
			return []engine.Result{{Suppressed: true}}, nil
		}
		if err == nil || invalid || errors.Is(err, engine.ErrDeleted) || errors.Is(err, engine.ErrMergeNotAllowed) || errors.Is(err, engine.ErrShared) {
			return []engine.Result{{Err: err}}, nil
		}
		return nil, err
	}
	n := slices.IndexFunc(effects, func(d effect) bool { return d.alias })
	if n < 0 {
		n = len(effects)
	}
	events := make([]engine.Event, n)
	for i := range events {
		events[i] = effects[i].event
	}
	results, err := t.engine.IngestBatch(ctx, events)
	if len(results) == n { // each has its own error
		return results, nil
	}
	return nil, err
}

// alias makes an id another one of a user, and two users one by a key that is trusted to do that.
func (t *tracking) alias(ctx context.Context, k key, d *effect) error {
	return t.engine.Users().Alias(ctx, d.from, d.into, engine.AliasOptions{Trusted: k.Trusted(), Force: d.force})
}
