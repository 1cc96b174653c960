package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
)

// withIDs measures ingest of events that carry a user id and an anonymous id of that user, and of
// the same events with a user id alone, in turns. What counts is the ratio.
func withIDs(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool, w workload, o options) error {
	if err := nameVisitors(ctx, e, w); err != nil {
		return err
	}
	if err := warm(ctx, e, pool, both(w.events(0, sample)), o); err != nil {
		return err
	}
	fmt.Printf("%d buckets, %d users, %d stored events, %d callers, %d rounds of %s for each\n", o.buckets, o.users, o.stored, o.callers, o.rounds, o.span)
	var ratios []float64
	used := map[bool]*cost{}
	for _, ids := range []bool{false, true} {
		var err error
		if used[ids], err = newCost(ctx, pool); err != nil {
			return err
		}
	}
	done := map[bool]int64{}
	for round := range o.rounds {
		alone := w.events(uint64(round)+1, sample)
		rates := map[bool]float64{}
		turns := []bool{false, true}
		if round%2 == 1 {
			slices.Reverse(turns)
		}
		for _, ids := range turns {
			events := alone
			if ids {
				events = both(alone)
			}
			if err := reuseLogs(ctx, pool); err != nil {
				return err
			}
			stop := used[ids].count()
			rate, took, err := ingest(ctx, e, events, o, 0)
			stop()
			if err != nil {
				return err
			}
			rates[ids], done[ids] = rate, done[ids]+int64(len(took))
		}
		ratios = append(ratios, rates[true]/rates[false])
		fmt.Printf("round %d: %.0f events/s with a user id, %.0f with an anonymous id too, ratio %.3f\n", round+1, rates[false], rates[true], ratios[round])
	}
	for _, ids := range []bool{false, true} {
		fmt.Printf("anonymous id %t: ", ids)
		used[ids].print(max(done[ids], 1), "event")
	}
	each := func(ids bool) float64 {
		return (used[ids].used.client + used[ids].used.server).Seconds() / float64(max(done[ids], 1))
	}
	fmt.Printf("ratio of processor time, user id alone to both: %.3f\n", each(false)/each(true))
	slices.Sort(ratios)
	fmt.Printf("ratio: %.3f, from %.3f to %.3f\n", median(ratios), ratios[0], ratios[len(ratios)-1])
	return nil
}

// nameVisitors gives each user an anonymous id.
func nameVisitors(ctx context.Context, e *engine.Engine, w workload) error {
	const chunk = 2000
	for begin := 0; begin < w.users; begin += chunk {
		var batch []engine.Event
		for i := begin; i < min(begin+chunk, w.users); i++ {
			batch = append(batch, engine.Event{UserID: userID(i), Name: eventName(0)})
		}
		if _, err := e.IngestBatch(ctx, both(batch)); err != nil {
			return err
		}
	}
	return nil
}

// both returns events with an anonymous id beside the user id, as a browser SDK sends them.
func both(events []engine.Event) []engine.Event {
	events = slices.Clone(events)
	for i := range events {
		events[i].AnonymousID = "3f0c7a54-91d2-4c1e-8b6a-" + events[i].UserID
	}
	return events
}
