package engine

import "context"

// turns limit how many of something run at once, and how many more wait. Who waits holds nothing but its place.
type turns struct {
	running chan struct{}
	all     chan struct{} // those that run, and those that wait
}

func newTurns(running, waiting int) *turns {
	return &turns{make(chan struct{}, running), make(chan struct{}, running+waiting)}
}

// take waits for a turn, which ends when the function that it returns is called. It returns ErrBusy if too many wait already, and
// the error of ctx if that ends first.
func (t *turns) take(ctx context.Context) (end func(), err error) {
	select {
	case t.all <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case t.running <- struct{}{}:
		return func() { <-t.running; <-t.all }, nil
	case <-ctx.Done():
		<-t.all
		return nil, ctx.Err()
	}
}

// mergesAtOnce is how many merges run at once, so that three of four connections of the pool are left to everything else.
func mergesAtOnce(most int, connections int32) int {
	const part = 4
	return max(min(most, int(connections)/part), 1)
}
