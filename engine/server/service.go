package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bucketgen/bucketgen/engine"
)

// Service is something that works beside an engine, as long as that runs: the adapter of package
// hatchet is one.
type Service interface {
	// Start starts it, once the engine has started.
	Start(ctx context.Context) error

	// Stop ends it, before the engine stops.
	Stop(ctx context.Context) error

	// String says in a line what it does.
	String() string
}

// services are those of a host, in the order in which they start.
type services []Service

// services makes the services of the host for an engine that is not started yet.
func (c *cli) services(e *engine.Engine) (services, error) {
	if c.host.Services == nil {
		return nil, nil
	}
	return c.host.Services(e)
}

// String says how the engine runs.
func (all services) String() string {
	if len(all) == 0 {
		return "on its own: all work is done by this process and others like it"
	}
	says := make([]string, len(all))
	for i, s := range all {
		says[i] = s.String()
	}
	return strings.Join(says, "\n")
}

// start starts all or none.
func (all services) start(ctx context.Context) error {
	for i, s := range all {
		if err := s.Start(ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s, err), all[:i].undo(ctx))
		}
	}
	return nil
}

// undo stops services that were started before another failed to start.
func (all services) undo(ctx context.Context) error {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return all.stop(stopping)
}

func (all services) stop(ctx context.Context) error {
	var errs []error
	for _, s := range slices.Backward(all) {
		errs = append(errs, s.Stop(ctx))
	}
	return errors.Join(errs...)
}
