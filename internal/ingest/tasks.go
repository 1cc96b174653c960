package ingest

import (
	"fmt"
	"iter"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// ingestion is the task of one user, with the items that it is made of.
type ingestion struct {
	transact.Task

	items []*item
}

// add adds an item.
func (t *ingestion) add(it *item) {
	t.items = append(t.items, it)
	t.Known = agreed(t.Known, it.known())
}

// note counts the events of tasks that were stored, and keeps them as the latest.
func (s *Service) note(all []ingestion) {
	now := s.now()
	s.deps.Catalog.Add(now, func(yield func(*decide.Event) bool) {
		for _, e := range stored(all) {
			if !yield(e) {
				return
			}
		}
	})
	s.deps.Recent.Add(now, stored(all))
}

// stored returns the events of tasks that were stored, with their users: no duplicates, and none
// that was refused.
func stored(all []ingestion) iter.Seq2[string, *decide.Event] {
	return func(yield func(string, *decide.Event) bool) {
		for i := range all {
			if all[i].Missed && !all[i].Result.Ended || all[i].Suppressed {
				continue
			}
			for _, it := range all[i].items {
				if !it.result.Duplicate && !it.result.Ended && it.result.Refused == nil && !yield(it.name(), &it.event) {
					return
				}
			}
		}
	}
}

// ingestions makes one task of the items of each user.
func (s *Service) ingestions(items []*item) ([]*transact.Task, []ingestion) {
	places := make(map[string]int, len(items))
	all := make([]ingestion, 0, len(items)) // they stay where they are
	now := s.now()
	for i, it := range items {
		name := it.name()
		if place, seen := places[name]; seen {
			all[place].add(it)
			continue
		}
		places[name] = len(all)
		all = append(all, ingestion{
			Task: transact.Task{
				Want: store.Request{User: name, Create: true, CreatedAt: it.clock(now)}, Options: s.options(it), Named: true,
			},
			items: items[i : i : i+1],
		})
		all[len(all)-1].add(it)
	}
	tasks, events := make([]*transact.Task, len(all)), make([]*decide.Event, 0, len(items))
	for i := range all {
		t := &all[i]
		for _, it := range t.items {
			events = append(events, &it.event)
		}
		t.Want.Events = events[len(events)-len(t.items):]
		t.Want.Attach, t.Want.Seen = s.attached(t.items), seen(t.items)
		t.Step = func(s *decide.Session, clock table.Instant) (last decide.Result) {
			for _, it := range t.items {
				last = s.Ingest(it.event, it.clock(clock))
				it.result = last
			}
			return last
		}
		tasks[i] = &t.Task
	}
	return tasks, all
}

// options returns how a session decides about an item: at the present time, or at that of a replay.
func (s *Service) options(it *item) decide.Options {
	if it.at == table.Unset {
		return s.deps.Options
	}
	return s.deps.Replayed
}

// tooManyNames refuses an event whose name is new beyond the bound.
func (s *Service) tooManyNames() error {
	return &bucketgen.InvalidError{Field: "name", Problem: fmt.Sprintf(
		"is new, and no definition declares it; %d new names were created in the last 24 hours, which is the limit: "+
			"send a name that was sent before, put what varies into properties, or raise engine.Config.NewEventNames", s.deps.NewNames)}
}

func eventsOf(items []*item) []*decide.Event {
	events := make([]*decide.Event, len(items))
	for i, it := range items {
		events[i] = &it.event
	}
	return events
}
