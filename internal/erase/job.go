package erase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
)

// Run erases the persons of a job, each in a transaction, in which the id leaves the job. So a job
// that is begun again goes on with the rest.
func (e *Eraser) Run(ctx context.Context, attempts func() *retry.Attempts, p bucketgen.JobParams, progress func(done, total int64)) (bucketgen.BulkErasure, error) {
	j, err := e.queries().EraseJob(ctx, p.Token)
	if err != nil {
		return bucketgen.BulkErasure{}, fmt.Errorf("find the job: %w", err)
	}
	o := bucketgen.EraseOptions{Suppress: p.Suppress, By: j.ByName, Ticket: p.Ticket}
	pace := time.NewTicker(time.Second / time.Duration(p.Rate))
	defer pace.Stop()
	for done := int64(p.Count) - j.Remaining; ; {
		next, err := e.queries().EraseJobNext(ctx, db.EraseJobNextParams{JobNo: j.No, Size: page})
		if err != nil {
			return bucketgen.BulkErasure{}, fmt.Errorf("read the ids of the job: %w", err)
		}
		if len(next) == 0 {
			break
		}
		for _, row := range next {
			select {
			case <-ctx.Done():
				return bucketgen.BulkErasure{}, ctx.Err()
			case <-pace.C:
			}
			if err := e.eraseOf(ctx, attempts(), j.No, row, o); err != nil {
				return bucketgen.BulkErasure{}, err
			}
			done++
			progress(done, int64(p.Count))
		}
	}
	all, err := e.queries().ErasuresOfJob(ctx, j.No)
	if err != nil {
		return bucketgen.BulkErasure{}, fmt.Errorf("add up the erasures: %w", err)
	}
	return bucketgen.BulkErasure{Asked: int64(p.Count), Erased: all.Erased, Events: all.Events, Rows: all.RowCount}, nil
}

// eraseOf erases a person of a job.
func (e *Eraser) eraseOf(ctx context.Context, attempts *retry.Attempts, job int64, row db.EraseJobNextRow, o bucketgen.EraseOptions) error {
	var id string
	o.Kind, id = store.NameKind(row.UserID)
	_, err := e.erase(ctx, attempts, id, o, &job)
	if !errors.Is(err, bucketgen.ErrUnknownUser) {
		return err // the id has left the job with the person
	}
	if err := e.queries().EraseJobDone(ctx, db.EraseJobDoneParams{JobNo: job, Place: row.Place}); err != nil {
		return fmt.Errorf("delete an id of the job: %w", err)
	}
	return nil
}
