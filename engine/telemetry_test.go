package engine_test

import (
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/bucketgen/bucketgen/engine"
)

// TestTelemetry checks what an engine reports to OpenTelemetry: a batch names the calls whose
// events are in it, and figures are those of Stats.
func TestTelemetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	spans, meters := tracetest.NewSpanRecorder(), metric.NewManualReader()
	config := fast
	config.Tracers = trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	config.Meters = metric.NewMeterProvider(metric.WithReader(meters))
	in := make(inbox, 10)
	e := w.start(config, func(e *engine.Engine) {
		must(t, e.OnEnter(w.ref("pro"), engine.EnterHandler{Name: "in", Func: in.handle}))
	})
	call, span := config.Tracers.Tracer("test").Start(t.Context(), "call")
	_, err := e.Ingest(call, engine.Event{UserID: "ada", Traits: map[string]any{"plan": "pro"}})
	span.End()
	must(t, err)
	in.next(t)
	eventually(t, func() bool { return e.Stats().Delivered == 1 })

	var ingest, flush, deliver trace.ReadOnlySpan
	eventually(t, func() bool {
		for _, s := range spans.Ended() {
			switch s.Name() {
			case "bucketgen.ingest":
				ingest = s
			case "bucketgen.flush":
				flush = s
			case "bucketgen.deliver":
				deliver = s
			}
		}
		return ingest != nil && flush != nil && deliver != nil
	})
	if len(flush.Links()) != 1 || flush.Links()[0].SpanContext.SpanID() != ingest.SpanContext().SpanID() {
		t.Errorf("the flush has the links %v, want one to the ingest %v", flush.Links(), ingest.SpanContext().SpanID())
	}

	var got metricdata.ResourceMetrics
	must(t, meters.Collect(t.Context(), &got))
	figures := map[string]float64{}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					result, _ := p.Attributes.Value("result")
					figures[m.Name+result.AsString()] = float64(p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					subscription, _ := p.Attributes.Value("subscription")
					figures[m.Name+subscription.AsString()] = p.Value
				}
			case metricdata.Histogram[float64]:
				figures[m.Name] = float64(data.DataPoints[0].Count)
			}
		}
	}
	s := e.Stats()
	for name, want := range map[string]float64{
		"bucketgen.eventstaken": 1, "bucketgen.eventsrefused": 0, "bucketgen.transitions": 1, "bucketgen.deliveriesdelivered": 1,
		"bucketgen.candidates": 1, "bucketgen.evaluations": float64(s.Evaluations), "bucketgen.repairs": 0, "bucketgen.ingest.duration": 1,
		"bucketgen.outbox.waitingin": 0, "bucketgen.outbox.deadin": 0, "bucketgen.outbox.lagin": 0, "bucketgen.queue.waiting": 0,
	} {
		if figure, reported := figures[name]; !reported || figure != want {
			t.Errorf("%s is %v (reported: %t), want %v", name, figure, reported, want)
		}
	}
}

// TestBlockedIDsAreCounted counts ids that stand for no one, by kind: of events that have another
// id, and of those that are refused.
func TestBlockedIDsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	meters := metric.NewManualReader()
	config := fast
	config.Meters = metric.NewMeterProvider(metric.WithReader(meters))
	e := w.start(config, nil)
	for _, ev := range []engine.Event{
		{UserID: "undefined", AnonymousID: "phone"}, {UserID: "NULL"}, {UserID: "ada", AnonymousID: "0"}, {UserID: "ada", Email: "test@example.com"},
	} {
		ev.Name = "visit"
		_, _ = e.Ingest(t.Context(), ev) // the second one is refused
	}
	var got metricdata.ResourceMetrics
	must(t, meters.Collect(t.Context(), &got))
	counts := map[string]int64{}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "bucketgen.ids.blocked" {
				for _, p := range sum.DataPoints {
					kind, _ := p.Attributes.Value("kind")
					counts[kind.AsString()] = p.Value
				}
			}
		}
	}
	equal(t, "blocked ids", counts, map[string]int64{"user": 2, "anonymous": 1, "email": 1})
}
