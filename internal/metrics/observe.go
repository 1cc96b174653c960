package metrics

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/catalog"
)

// Deps is what the observable instruments read of an engine.
type Deps struct {
	// Stats returns the present figures.
	Stats func() bucketgen.Stats

	// Waiting returns how many events wait to be written.
	Waiting func() int

	// Ahead returns by how much the clock of the process is ahead of the database's.
	Ahead func() time.Duration

	// Mistyped returns how many values arrived as another type than is declared.
	Mistyped func() map[catalog.Mistyping]int64

	// Drift returns how what arrives differs from what is declared, which the database knows. Nil:
	// it is not counted.
	Drift func(context.Context) ([]bucketgen.Drift, error)

	// Backlogs returns what waits in the outbox, which the database knows.
	Backlogs func(context.Context) ([]bucketgen.Backlog, error)

	// Now is the clock of the process.
	Now func() time.Time
}

// observed are the observable instruments, which are read when OpenTelemetry collects.
type observed struct {
	Deps

	meter metric.Meter
	all   []metric.Observable
	reads []func(metric.Observer)
	errs  []error
}

// counts adds a counter.
func (o *observed) counts(name, unit, description string, read func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue))) {
	c, err := o.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	o.errs = append(o.errs, err)
	o.all = append(o.all, c)
	o.reads = append(o.reads, func(to metric.Observer) {
		s := o.Stats()
		read(&s, func(n int64, a ...attribute.KeyValue) { to.ObserveInt64(c, n, metric.WithAttributes(a...)) })
	})
}

// gauge adds a gauge.
func (o *observed) gauge(name, unit, description string) metric.Float64ObservableGauge { //nolint:ireturn // it is what OpenTelemetry has
	g, err := o.meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
	o.errs = append(o.errs, err)
	o.all = append(o.all, g)
	return g
}

// Observe registers the observable instruments of an engine with OpenTelemetry. The function that
// it returns ends that.
func (t *Instruments) Observe(d Deps) (end func(), err error) {
	o := &observed{Deps: d, meter: t.meter}
	result := func(is string) attribute.KeyValue { return attribute.String("result", is) }
	o.counts("bucketgen.events", "{event}", "Events that were handed over.", func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue)) {
		report(s.Events, result("taken"))
		report(s.Duplicates, result("duplicate"))
		report(s.Refused, result("refused"))
	})
	o.counts("bucketgen.transitions", "{transition}", "Transitions that were decided, ticks included.",
		func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue)) { report(s.Transitions) })
	o.counts("bucketgen.candidates", "{bucket}", "Buckets that the indexes found for events.",
		func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue)) { report(s.Candidates) })
	o.counts("bucketgen.evaluations", "{bucket}", "Criteria that were evaluated, whatever for.",
		func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue)) { report(s.Evaluations) })
	o.counts("bucketgen.clock.settled", "{user}", "Users that the clock evaluated.",
		func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue)) { report(s.Settled) })
	o.counts("bucketgen.repairs", "{membership}", "Memberships that a reconciliation repaired: 0 in a healthy system.",
		func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue)) { report(s.Repaired) })
	o.counts("bucketgen.deliveries", "{delivery}", "Deliveries by what came of them.", func(s *bucketgen.Stats, report func(int64, ...attribute.KeyValue)) {
		report(s.Delivered, result("delivered"))
		report(s.Returned, result("returned"))
		report(s.Failed, result("failed"))
		report(s.DeadLetter, result("dead"))
		report(s.DeadForgotten, result("forgotten"))
	})
	queue := o.gauge("bucketgen.queue.waiting", "{event}", "Events that wait to be written.")
	lag := o.gauge("bucketgen.clock.lag", "s", "How long the earliest due instant has been waiting.")
	ahead := o.gauge("bucketgen.clock.ahead", "s", "By how much this process's clock is ahead of the database's; negative: behind.")
	o.reads = append(o.reads, func(to metric.Observer) {
		to.ObserveFloat64(queue, float64(o.Waiting()))
		to.ObserveFloat64(ahead, o.Ahead().Seconds())
		to.ObserveFloat64(lag, o.Stats().ClockLag.Seconds())
	})
	o.mistyped()
	drift := o.drift()
	backlogs := o.backlogs()
	registration, err := o.meter.RegisterCallback(func(ctx context.Context, to metric.Observer) error {
		for _, read := range o.reads {
			read(to)
		}
		return errors.Join(drift(ctx, to), backlogs(ctx, to))
	}, o.all...)
	end = func() {
		if registration != nil {
			_ = registration.Unregister() // a failure leaves a callback that reads a stopped engine, which is harmless
		}
	}
	return end, errors.Join(append(o.errs, err)...)
}

// mistyped adds values of another type than is declared, by what is declared: the labels come from
// definitions, never from a request.
func (o *observed) mistyped() {
	c, err := o.meter.Int64ObservableCounter("bucketgen.mistyped", metric.WithUnit("{value}"),
		metric.WithDescription("Values of declared properties and payload fields that arrived as another type than is declared."))
	o.errs = append(o.errs, err)
	o.all = append(o.all, c)
	o.reads = append(o.reads, func(to metric.Observer) {
		for m, n := range o.Mistyped() {
			to.ObserveInt64(c, n, metric.WithAttributes(attribute.String("kind", string(m.Kind)), attribute.String("event", m.Event),
				attribute.String("name", m.Name), attribute.String("seen", m.Seen)))
		}
	})
}

// drift adds how many names differ from what is declared, which the database knows. It asks once a
// minute at most.
func (o *observed) drift() func(context.Context, metric.Observer) error {
	names := o.gauge("bucketgen.drift", "{name}", "Declared names that have not arrived or arrive as another type, and names that arrive and are near a declared one.")
	var mu sync.Mutex // two readers may ask at once
	var at time.Time
	counts := map[bucketgen.DriftKind]int{}
	return func(ctx context.Context, to metric.Observer) error {
		if o.Drift == nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		var err error
		if time.Since(at) > driftEvery {
			ctx, cancel := context.WithTimeout(ctx, driftPatience)
			defer cancel()
			var all []bucketgen.Drift
			if all, err = o.Drift(ctx); err == nil {
				at, counts = time.Now(), map[bucketgen.DriftKind]int{bucketgen.DriftMistyped: 0, bucketgen.DriftUnseen: 0, bucketgen.DriftMisspelt: 0}
				for i := range all {
					counts[all[i].Kind]++
				}
			}
		}
		for kind, n := range counts {
			to.ObserveFloat64(names, float64(n), metric.WithAttributes(attribute.String("kind", string(kind))))
		}
		return err
	}
}

const (
	driftEvery    = time.Minute
	driftPatience = 2 * time.Second
)

// backlogs adds what waits in the outbox, which the database knows.
func (o *observed) backlogs() func(context.Context, metric.Observer) error {
	waiting := o.gauge("bucketgen.outbox.waiting", "{delivery}", "Deliveries to be made.")
	dead := o.gauge("bucketgen.outbox.dead", "{delivery}", "Deliveries that were given up.")
	lag := o.gauge("bucketgen.outbox.lag", "s", "How long ago the oldest transition was decided that waits to be delivered.")
	return func(ctx context.Context, to metric.Observer) error {
		const patience = 2 * time.Second
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		all, err := o.Backlogs(ctx)
		for _, b := range all {
			of := metric.WithAttributes(attribute.String("subscription", b.Subscription))
			to.ObserveFloat64(waiting, float64(b.Waiting), of)
			to.ObserveFloat64(dead, float64(b.Dead), of)
			late := 0.0
			if !b.Oldest.IsZero() {
				late = max(o.Now().Sub(b.Oldest).Seconds(), 0)
			}
			to.ObserveFloat64(lag, late, of)
		}
		return err
	}
}
