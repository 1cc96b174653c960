package engine

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope names this package to OpenTelemetry.
const scope = "github.com/bucketgen/bucketgen/engine"

// instrumentsMissing is the log message for instruments that OpenTelemetry refuses.
const instrumentsMissing = "some OpenTelemetry instruments could not be created"

// telemetry holds the tracer and the synchronous instruments of an engine.
type telemetry struct {
	tracer  trace.Tracer
	latency metric.Float64Histogram
	flushes metric.Float64Histogram
	batches metric.Int64Histogram

	registration metric.Registration // of the callback that reads the observable instruments
}

// newTelemetry makes the instruments of an engine. What it returns beside an error can be used: an instrument that cannot be
// made does nothing.
func newTelemetry(config *Config) (*telemetry, error) {
	meter := config.Meters.Meter(scope)
	t := &telemetry{tracer: config.Tracers.Tracer(scope)}
	var errs [3]error
	t.latency, errs[0] = meter.Float64Histogram("bucketgen.ingest.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from when an event was handed over until it was committed, or refused."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	t.flushes, errs[1] = meter.Float64Histogram("bucketgen.flush.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that it took to write a batch of events."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	t.batches, errs[2] = meter.Int64Histogram("bucketgen.flush.size", metric.WithUnit("{event}"),
		metric.WithDescription("Events in a batch."), metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000))
	return t, errors.Join(errs[:]...)
}

// flushed records a batch that was written.
func (t *telemetry) flushed(ctx context.Context, events int, took time.Duration) {
	t.batches.Record(ctx, int64(events))
	t.flushes.Record(ctx, took.Seconds())
}

// begin begins a span. The function that it returns ends it, with the error that came of it.
func (t *telemetry) begin(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, func(error, ...attribute.KeyValue)) {
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

// linksOf returns links to the spans of the callers whose items are in a batch, up to a bound.
func linksOf(items []*item) []trace.Link {
	const most = 32
	var links []trace.Link
	var last trace.SpanContext
	for _, it := range items {
		if at := trace.SpanContextFromContext(it.ctx); at.IsValid() && !at.Equal(last) && len(links) < most {
			links, last = append(links, trace.Link{SpanContext: at}), at
		}
	}
	return links
}
