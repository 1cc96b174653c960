package hatchet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/registry"
)

// DurableContext is what a reaction sleeps and waits by: SleepFor, SleepUntil, WaitForEvent, Memo.
// It is Hatchet's own.
type DurableContext = sdk.DurableContext

// Task is what is done about a transition, as a durable task of Hatchet.
type Task struct {
	// Name identifies the task in Hatchet, where its runs wait while no process serves it. It must
	// be unique among all tasks of the tenant, and stay.
	Name string

	// FirstOnly leaves out all but the first stay of a user in the bucket. It is for joins.
	// Defaults to false.
	FirstOnly bool

	// Reasons are those for which it runs. They are of leaves. Defaults to all.
	Reasons []engine.Reason

	// Retries is how often a run that failed is tried again. Defaults to 20, which takes about a
	// day.
	Retries int

	// Timeout is how long a run may take between two sleeps. Defaults to an hour.
	Timeout time.Duration

	// Func is called at least once for each transition, by its [engine.Transition.Key]. It starts
	// anew from the top after a crash, and after a sleep that took longer than a few seconds: what
	// it slept and waited for before does not take time again, and whatever else it does must be
	// repeatable, or be kept by Memo. An error of ctx's own methods must be returned as it is.
	Func func(ctx DurableContext, t engine.Transition) error
}

// Reaction is a task that transitions trigger.
type Reaction struct {
	event Event
	task  Task
	kind  engine.Kind
}

// OnEnter runs a task when a user joined a bucket, if the bucket's entry policy lets that be
// announced.
func OnEnter(bucket registry.BucketRef, t Task) Reaction {
	return Reaction{Entered(bucket), t, engine.Entered}
}

// OnLeave runs a task when a user left a bucket.
func OnLeave(bucket registry.BucketRef, t Task) Reaction {
	return Reaction{Left(bucket), t, engine.Left}
}

// OnDwell runs a task at a tick of a stay.
func OnDwell(tick registry.TickRef, t Task) Reaction { return Reaction{Ticked(tick), t, engine.Dwell} }

// ownTasks is how the names of this package's own tasks begin.
const ownTasks = "bucketgen-"

func checkReactions(all []Reaction) error {
	names := map[string]bool{}
	var errs []error
	for _, r := range all {
		// Hatchet treats names that differ only in letter case as the same.
		name := strings.ToLower(r.task.Name)
		switch {
		case name == "":
			errs = append(errs, errors.New("a reaction has no Name; it needs one that stays, because its runs wait under it"))
		case strings.HasPrefix(name, ownTasks):
			errs = append(errs, fmt.Errorf("reaction %q: names that begin with %s are for the adapter's own tasks; give it another", r.task.Name, ownTasks))
		case names[name]:
			errs = append(errs, fmt.Errorf("reaction %q: there is another of that name; give one of them another", r.task.Name))
		case r.event.err != nil:
			errs = append(errs, fmt.Errorf("reaction %q: %w", r.task.Name, r.event.err))
		default:
			errs = append(errs, r.check())
		}
		names[name] = true
	}
	return errors.Join(errs...)
}

func (r Reaction) check() error {
	name := r.task.Name
	switch t := r.task; {
	case t.Func == nil:
		return fmt.Errorf("reaction %q has no Func", name)
	case t.FirstOnly && r.kind != engine.Entered:
		return fmt.Errorf("reaction %q: FirstOnly is for joins", name)
	case len(t.Reasons) > 0 && r.kind != engine.Left:
		return fmt.Errorf("reaction %q: Reasons are of leaves", name)
	case t.Retries < 0:
		return fmt.Errorf("reaction %q: Retries is %d; it must be positive, or zero for the default", name, t.Retries)
	case t.Timeout < 0:
		return fmt.Errorf("reaction %q: Timeout is %v; it must be positive, or zero for the default", name, t.Timeout)
	}
	return nil
}

// wants reports whether the task runs for a transition.
func (t Task) wants(tr engine.Transition) bool {
	return (!t.FirstOnly || tr.EntryCount == 1) && (len(t.Reasons) == 0 || slices.Contains(t.Reasons, tr.Reason))
}

// reactionResult is the output of a reaction's run.
type reactionResult struct {
	Done bool `json:"done"` // false: the transition is none that the task is for
}

func (a *Adapter) reactionTask(r Reaction) *sdk.StandaloneTask {
	options := durable(sdk.WithWorkflowEvents(r.event.key))
	if r.task.Retries > 0 {
		options = append(options, sdk.WithRetries(r.task.Retries))
	}
	if r.task.Timeout > 0 {
		options = append(options, sdk.WithExecutionTimeout(r.task.Timeout))
	}
	return a.client.tasks.NewStandaloneDurableTask(r.task.Name, func(ctx sdk.DurableContext, p payload) (reactionResult, error) {
		a.waits.watch(ctx)
		if !r.task.wants(p.Transition) {
			return reactionResult{}, nil
		}
		return reactionResult{true}, r.task.Func(ctx, p.Transition)
	}, options...)
}
