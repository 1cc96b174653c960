// Package metrics reports what an engine does: its counters, and its instruments and spans of
// OpenTelemetry.
package metrics

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope names the engine to OpenTelemetry.
const scope = "github.com/bucketgen/bucketgen/engine"

// Missing is the log message for instruments that OpenTelemetry refuses.
const Missing = "some OpenTelemetry instruments could not be created"

// Instruments holds the tracer and the synchronous instruments of an engine. It is safe for
// concurrent use.
type Instruments struct {
	meter   metric.Meter
	tracer  trace.Tracer
	latency metric.Float64Histogram
	flushes metric.Float64Histogram
	batches metric.Int64Histogram
	blocked metric.Int64Counter
}

// NewInstruments makes the instruments of an engine. An instrument that cannot be made does
// nothing, and the error says which: the result can be used all the same.
func NewInstruments(meters metric.MeterProvider, tracers trace.TracerProvider) (*Instruments, error) {
	t := &Instruments{meter: meters.Meter(scope), tracer: tracers.Tracer(scope)}
	var errs [4]error
	t.latency, errs[0] = t.meter.Float64Histogram("bucketgen.ingest.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from when an event was handed over until it was committed, or refused."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	t.flushes, errs[1] = t.meter.Float64Histogram("bucketgen.flush.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that it took to write a batch of events."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	t.batches, errs[2] = t.meter.Int64Histogram("bucketgen.flush.size", metric.WithUnit("{event}"),
		metric.WithDescription("Events in a batch."), metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000))
	t.blocked, errs[3] = t.meter.Int64Counter("bucketgen.ids.blocked", metric.WithUnit("{id}"),
		metric.WithDescription("Ids of events that were ignored since they stand for no one, like undefined, by kind."))
	return t, errors.Join(errs[:]...)
}

// Ingested records how long a call waited for an event to be committed or refused.
func (t *Instruments) Ingested(ctx context.Context, waited time.Duration) {
	t.latency.Record(ctx, waited.Seconds())
}

// Blocked counts an id of a kind that stands for no one. An event may carry one of a kind that is
// declared, so there are few kinds.
func (t *Instruments) Blocked(ctx context.Context, kind string) {
	t.blocked.Add(ctx, 1, metric.WithAttributes(attribute.String("kind", kind)))
}

// Flushed records a batch that was written.
func (t *Instruments) Flushed(ctx context.Context, events int, took time.Duration) {
	t.batches.Record(ctx, int64(events))
	t.flushes.Record(ctx, took.Seconds())
}

// Begin begins a span. The function that it returns ends the span, with the error of the work.
func (t *Instruments) Begin(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, func(error, ...attribute.KeyValue)) {
	ctx, span := t.tracer.Start(ctx, "bucketgen."+name, o...)       //nolint:spancheck // the caller ends it by the function returned
	return ctx, func(err error, attributes ...attribute.KeyValue) { //nolint:spancheck // as above
		span.SetAttributes(attributes...)
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}
