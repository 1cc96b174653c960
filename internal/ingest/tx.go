package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// IngestTx takes events in as part of a transaction of the caller, all of them or none, as
// engine.IngestTx says.
func (s *Service) IngestTx(ctx context.Context, tx pgx.Tx, events []bucketgen.Event) ([]bucketgen.Result, error) {
	if err := s.deps.Ready(); err != nil {
		return nil, err
	}
	now := s.deps.Now()
	items := make([]*item, len(events))
	for i := range events {
		items[i] = &item{at: table.Unset, ctx: ctx}
		if err := s.read(items[i], &events[i], now); err != nil {
			return nil, fmt.Errorf("ingest event %d: %w", i, err)
		}
	}
	attempt := func() error {
		return s.deps.Runner().InSavepoint(ctx, tx, func(tx pgx.Tx) error {
			if len(items) == 0 {
				return nil
			}
			return s.inTx(ctx, tx, items)
		})
	}
	err := attempt()
	if errors.Is(err, transact.ErrReplaced) { // the savepoint took back the contact that it had made of who was erased
		s.doubt(items)
		err = attempt()
	}
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	results := make([]bucketgen.Result, len(items))
	for i, it := range items {
		results[i] = s.result(it)
		s.count(it)
	}
	return results, nil
}

// refused returns the errors of events that were refused for what their users have already.
func refused(items []*item) error {
	for i, it := range items {
		if err := it.refusal(); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
	}
	return nil
}

// linkTx resolves the ids of items in a caller's transaction. It merges no contacts.
func (s *Service) linkTx(ctx context.Context, tx pgx.Tx, items []*item) error {
	var names []string
	for _, it := range items {
		if len(it.others) > 0 {
			names = append(append(names, it.given), it.others...)
		}
	}
	if len(names) == 0 {
		return nil
	}
	l, err := s.linking(ctx, tx, names)
	if err != nil {
		return err
	}
	for i, it := range items {
		if len(it.others) == 0 {
			continue
		}
		if err := l.inTx(it); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
	}
	return nil
}

func (s *Service) inTx(ctx context.Context, tx pgx.Tx, items []*item) error {
	r := s.deps.Runner()
	if err := r.Store.NameEventsWithin(ctx, tx, s.deps.OwnNow(), eventsOf(items)); err != nil {
		return err
	}
	for i, it := range items {
		if it.unnamed() {
			return fmt.Errorf("event %d: %w", i, s.tooManyNames())
		}
	}
	if err := s.linkTx(ctx, tx, items); err != nil {
		return err
	}
	var all []ingestion
	err := transact.Canonical(func() error {
		var tasks []*transact.Task
		tasks, all = s.ingestions(items)
		return r.InTx(ctx, tx, tasks)
	}, func(n transact.Names) { rename(items, n) })
	if errors.Is(err, transact.ErrReplaced) {
		return err
	}
	for i := range all {
		for _, it := range all[i].items {
			it.suppressed = all[i].Suppressed
		}
		if len(all[i].Lost) > 0 {
			err = errors.Join(err, bucketgen.ErrNeedsMerge)
		}
	}
	if err = errors.Join(err, refused(items)); err == nil {
		s.note(all)
	}
	return err
}
