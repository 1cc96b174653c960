package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen/registry/table"
)

// registerNames gives numbers to the event names that criteria use and that have none. No bound
// applies.
func (s *Store) registerNames(ctx context.Context, conn Conn) error {
	const attempts = 3 // a name that another transaction is just adding is there at the next one
	wanted := make([]string, len(s.registry.Events))
	for i := range wanted {
		wanted[i] = s.registry.Events[i].Name
	}
	s.events = make([]int32, len(wanted))
	missing := slices.Clone(wanted)
	for range attempts {
		if len(missing) == 0 {
			return nil
		}
		rows, err := s.Queries(conn).EventNamesRegister(ctx, missing)
		if err != nil {
			return fmt.Errorf("register event names: %w", err)
		}
		for _, row := range rows {
			e := s.registry.Event(row.Name)
			s.events[e], s.eventOf[row.No] = row.No, e
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return s.events[s.registry.Event(name)] != 0 })
	}
	if len(missing) > 0 {
		return fmt.Errorf("register event names: %d of %d are still missing", len(missing), len(wanted))
	}
	return nil
}

// plainOf returns the signals that are all occurrences of an event, keyed by the event's number.
func (s *Store) plainOf() map[int32]table.SignalIndex {
	plain := map[int32]table.SignalIndex{}
	for i := range s.registry.Signals {
		if row := &s.registry.Signals[i]; row.Newest > 0 && row.Plain() {
			plain[s.events[row.Event]] = table.SignalIndex(i)
		}
	}
	return plain
}

// registerProperties gives numbers to the declared properties that have none.
func (s *Store) registerProperties(ctx context.Context, conn Conn) error {
	names := make([]string, 0, len(s.registry.Properties))
	s.properties = make([]int32, len(s.registry.Properties))
	s.propertyOf = map[int32]table.PropertyIndex{}
	for i := range s.registry.Properties {
		if row := &s.registry.Properties[i]; len(row.Path) == 0 {
			names = append(names, row.Name)
		}
	}
	rows, err := s.Queries(conn).PropertiesRegister(ctx, names)
	if err != nil {
		return fmt.Errorf("register the properties: %w", err)
	}
	for _, row := range rows {
		p, _ := s.registry.Property(row.Name)
		s.properties[p], s.propertyOf[row.No] = row.No, p
		if s.registry.Properties[p].History {
			s.history = append(s.history, row.No)
		}
	}
	return nil
}

func (s *Store) registerSequences(ctx context.Context, conn Conn) error {
	keys := make([]string, len(s.registry.Sequences))
	for i := range keys {
		keys[i] = s.registry.Sequences[i].Key // sorted
	}
	rows, err := s.Queries(conn).SequencesRegister(ctx, keys)
	if err != nil {
		return fmt.Errorf("register the sequences: %w", err)
	}
	s.sequences = make([]int32, len(keys))
	for _, row := range rows {
		i, _ := slices.BinarySearch(keys, row.Key)
		s.sequences[i] = row.No
	}
	return nil
}

func (s *Store) registerSignals(ctx context.Context, conn Conn) error {
	keys := make([]string, len(s.registry.Signals))
	places := make(map[string]int, len(keys))
	for i := range keys {
		keys[i] = s.registry.Signals[i].Key
		places[keys[i]] = i
	}
	rows, err := s.Queries(conn).SignalsRegister(ctx, keys)
	if err != nil {
		return fmt.Errorf("register the signals: %w", err)
	}
	s.signals, s.signalOf = make([]int32, len(keys)), make(map[int32]table.SignalIndex, len(keys))
	for _, row := range rows {
		s.signals[places[row.Key]], s.signalOf[row.No] = row.No, table.SignalIndex(places[row.Key])
	}
	return nil
}
