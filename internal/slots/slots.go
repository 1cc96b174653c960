// Package slots bounds how many of something run at once, and how many more wait.
package slots

import (
	"context"

	"github.com/bucketgen/bucketgen"
)

// Slots bound how many calls run at once, and how many more wait. A call that waits holds nothing
// but its place. They are safe for concurrent use.
type Slots struct {
	running chan struct{}
	all     chan struct{} // those that run, and those that wait
}

// New returns slots for calls that run, and places for calls that wait.
func New(running, waiting int) *Slots {
	return &Slots{make(chan struct{}, running), make(chan struct{}, running+waiting)}
}

// Acquire waits for a slot, which the function that it returns frees. It returns
// [bucketgen.ErrBusy] if too many calls wait already, and the error of ctx if that ends first.
func (s *Slots) Acquire(ctx context.Context) (release func(), err error) {
	select {
	case s.all <- struct{}{}:
	default:
		return nil, bucketgen.ErrBusy
	}
	select {
	case s.running <- struct{}{}:
		return func() { <-s.running; <-s.all }, nil
	case <-ctx.Done():
		<-s.all
		return nil, ctx.Err()
	}
}
