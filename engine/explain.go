package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/explain"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Explanation says why a user is in a bucket or not, and what the clock does next. Its String is
// for people.
type Explanation bucketgen.Explanation

// String returns the explanation as people read it: over several lines, with the criteria drawn as
// a tree.
func (x Explanation) String() string { return explain.Text((*bucketgen.Explanation)(&x)) }

// PolicyEffect is the effect of a bucket's policy on one user. What does not apply is zero.
type PolicyEffect = bucketgen.PolicyEffect

// Condition is one condition of a criteria, or a combination of several, with its result.
type Condition = bucketgen.Condition

// Evidence holds the facts behind the result of a condition.
type Evidence = bucketgen.Evidence

// Explain says why a user is in a bucket or not. It sees what is committed, and what is due by now
// as if it were done; it locks and changes nothing. A user who is unknown gives [ErrUnknownUser],
// one who is deleted [ErrDeleted].
func (e *Engine) Explain(ctx context.Context, bucket registry.BucketRef, userID string) (Explanation, error) {
	b, err := e.lookup(bucket)
	if err != nil {
		return Explanation{}, fmt.Errorf("explain: %w", err)
	}
	if err := event.UserID(userID); err != nil {
		return Explanation{}, fmt.Errorf("explain: %w", err)
	}
	explainer := explain.Explainer{Runner: e.readRunner(), Options: e.options(true), DriftFunc: e.driftOf}
	name := userID
	var x bucketgen.Explanation
	err = transact.Canonical(func() error {
		x, err = explainer.Explain(ctx, b, name)
		return err
	}, func(n transact.Names) { name = n.Of(name) })
	if err != nil {
		return Explanation{}, fmt.Errorf("explain bucket %q for user %q: %w", bucket.ID(), userID, err)
	}
	return Explanation(x), nil
}

// Forecast is everything that happens to a user if only time passes, or after imaginary events.
type Forecast = bucketgen.Forecast

// ForecastOptions say what to forecast.
type ForecastOptions = bucketgen.ForecastOptions

// Forecast returns everything that happens to a user in any bucket up to a time, if only time
// passes or, with Events, after what they imagine. It sees what [Engine.Explain] sees, and changes
// nothing. It applies at most 10,000 due instants, and returns at most 1000 transitions. An unknown
// user gives [ErrUnknownUser], a deleted one [ErrDeleted], and an event that Ingest would refuse an
// [*InvalidError].
func (g *Users) Forecast(ctx context.Context, userID string, o ForecastOptions) (Forecast, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(userID); err != nil {
		return Forecast{}, fmt.Errorf("forecast: %w", err)
	}
	until := o.Until
	if until.IsZero() {
		until = e.Now().AddDate(0, 0, forecastDays)
	}
	name := userID
	imagined, err := e.imagined(name, o.Events, until)
	if err != nil {
		return Forecast{}, fmt.Errorf("forecast: %w", err)
	}
	explainer := explain.Explainer{Runner: e.readRunner(), Options: e.options(true)}
	var f Forecast
	err = transact.Canonical(func() error {
		f, err = explainer.Forecast(ctx, name, table.At(until), !o.NoTicks, imagined)
		return err
	}, func(n transact.Names) { name = n.Of(name) })
	if err != nil {
		return Forecast{}, fmt.Errorf("forecast for user %q: %w", userID, err)
	}
	return f, nil
}

// TryResult is what an event would come to if it were sent now.
type TryResult = bucketgen.TryResult

// TriedBucket is what an event would change about a bucket.
type TriedBucket = bucketgen.TriedBucket

// Try returns what [Engine.Ingest] would make of an event if it were sent now, and what would
// follow within 30 days, without dwell ticks. It decides in a transaction that is rolled back, so
// nothing is written. The key and the time of the event are ignored. An unknown user is tried as
// one who is created, a deleted one gives [ErrDeleted], and an event that Ingest would refuse an
// [*InvalidError].
func (g *Users) Try(ctx context.Context, ev Event) (TryResult, error) {
	e := (*Engine)(g)
	if err := e.checkUserID(ev.UserID); err != nil {
		return TryResult{}, fmt.Errorf("try: %w", err)
	}
	now := e.Now()
	ev.Key, ev.OccurredAt = "", time.Time{}
	valid, err := event.Validate(e.registry, &ev, now, e.config.limits())
	if err != nil {
		return TryResult{}, fmt.Errorf("try: %w", err)
	}
	explainer := explain.Explainer{Runner: e.runner, Options: e.options(true)}
	name, attempts := ev.UserID, e.attempts("try")
	for {
		var r TryResult
		err := transact.Canonical(func() (err error) {
			r, err = explainer.Try(ctx, name, valid, table.At(now.AddDate(0, 0, forecastDays)))
			return err
		}, func(n transact.Names) { name = n.Of(name) })
		if err == nil {
			return r, nil
		}
		if err := attempts.Again(ctx, err); err != nil {
			return TryResult{}, fmt.Errorf("try for user %q: %w", ev.UserID, err)
		}
	}
}

// forecastDays is how many days a forecast covers by default.
const forecastDays = 30

// imagined checks events that a forecast imagines.
func (e *Engine) imagined(user string, events []Event, until time.Time) ([]explain.Imagined, error) {
	now := e.Now()
	all := make([]explain.Imagined, len(events))
	for i := range events {
		ev := events[i]
		at := ev.OccurredAt
		switch {
		case at.IsZero():
			at = now
		case at.Before(now):
			return nil, &InvalidError{Field: "at", Problem: "is before now; what happened is not imagined"}
		case at.After(until):
			return nil, &InvalidError{Field: "at", Problem: "is after the end of the forecast"}
		}
		ev.UserID, ev.Key, ev.OccurredAt = user, "", time.Time{}
		valid, err := event.Validate(e.registry, &ev, now, e.config.limits())
		if err != nil {
			return nil, err
		}
		all[i] = explain.Imagined{Event: valid, At: table.At(at)}
		if i > 0 && all[i].At < all[i-1].At {
			return nil, &InvalidError{Field: "at", Problem: "is before that of the event before; give events in the order of time"}
		}
	}
	return all, nil
}
