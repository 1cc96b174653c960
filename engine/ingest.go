package engine

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/ingest"
	"github.com/bucketgen/bucketgen/internal/transact"
)

// Event is something that a user did, or traits of theirs, or both. UserID is required, and one of
// Name and Traits.
type Event = bucketgen.Event

// Result is the outcome of an event.
type Result = bucketgen.Result

// Ingest takes an event in: it is stored and every membership that it changes is changed, all or
// nothing, before the call returns. A refused event gives an [*InvalidError].
//
// If ctx ends first, the event may or may not have been taken in; with a key it can safely be sent
// again.
func (e *Engine) Ingest(ctx context.Context, ev Event) (Result, error) {
	results, err := e.IngestBatch(ctx, []Event{ev})
	if err == nil {
		return results[0], nil
	}
	if len(results) > 0 && results[0].Err != nil {
		return Result{}, fmt.Errorf("ingest: %w", results[0].Err)
	}
	return Result{}, err
}

// IngestBatch takes events in, as Ingest does each of them. Those of one user apply in the given
// order; those that name the user by different ids do if they have one in common. One that is
// refused does not keep the others out: results has an entry for each event, with its own Err, and
// the error joins all of those.
func (e *Engine) IngestBatch(ctx context.Context, events []Event) ([]Result, error) {
	return e.ingest.Ingest(ctx, events)
}

// IngestTx takes events in as part of a transaction of the caller, so that they are stored if and
// only if the caller's own changes are. What it returns is provisional until the caller commits;
// transitions are delivered after that.
//
// The transaction must be READ COMMITTED, or it gives [ErrIsolation]. It holds the locks of the
// users until it ends: the engine puts off whatever else happens to them, so it should end soon. A
// caller who takes in events of several users by several calls within one transaction must do so in
// the order of their ids, or may find itself in a deadlock with another who does not. So may one
// who names a user by a name that they had before they were merged, the first time.
//
// If one of the events is refused, none is taken in, and the transaction can go on.
func (e *Engine) IngestTx(ctx context.Context, tx pgx.Tx, events ...Event) ([]Result, error) {
	return e.ingest.IngestTx(ctx, tx, events)
}

// HasRoom reports whether the queue has room for that number of events, so that IngestBatch would
// not wait for it, unless they are larger than what is left of [Config].QueueBytes. More events
// than the queue holds find room when it is empty. The answer may be out of date when it arrives.
func (e *Engine) HasRoom(events int) bool { return e.ingest.HasRoom(events) }

// RecentEvent is an event that this process has stored lately.
type RecentEvent = bucketgen.RecentEvent

// RecentQuery says which recent events to list.
type RecentQuery = bucketgen.RecentQuery

// RecentPage is a page of recent events.
type RecentPage = bucketgen.RecentPage

// RecentEvents returns the latest events that this process has stored, the newest first, as far as
// [Config.RecentBytes] goes. Those of other processes are not among them. Those of
// [Engine.IngestTx] are, also if their caller rolls back.
func (g *Inspect) RecentEvents(q RecentQuery) RecentPage { return g.recent.Page(&q) }

// newIngest returns the service that takes events in.
func (e *Engine) newIngest() *ingest.Service {
	return ingest.New(ingest.Deps{
		Registry: e.registry, Log: e.log, Runner: func() *transact.Runner { return e.runner }, Ready: e.ready, Name: e.name, Merger: e.merger,
		Now: e.Now, OwnNow: e.config.Now, Options: e.options(true), Replayed: e.options(false), Limits: e.config.limits(),
		NewNames: e.config.NewEventNames, Catalog: e.catalog, Recent: e.recent, Health: e.health, Metrics: e.telemetry, Counters: &e.stats,
		Flushers: e.config.Flushers, MaxBatch: e.config.MaxBatch, QueueSize: e.config.QueueSize, QueueBytes: e.config.QueueBytes,
		Suppressed: e.dropped.Add,
	})
}

// options returns how a session decides at the clock's time, or at the time of a replay.
func (e *Engine) options(clock bool) decide.Options {
	return decide.Options{Live: clock && !e.config.VirtualTime, Replayed: !clock, Limits: e.config.limits().User}
}
