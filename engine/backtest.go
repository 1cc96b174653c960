package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/backtest"
	"github.com/bucketgen/bucketgen/registry"
	"github.com/bucketgen/bucketgen/registry/table"
)

// BackTestOptions say what to run over the log, and what to compare it with. The zero value runs
// every bucket of the engine's own registry up to now.
type BackTestOptions struct {
	// Registry is what is run. It need not be deployed: the registry of a branch, or one made at
	// run time. Defaults to the engine's.
	Registry *registry.Registry

	// Buckets are the ids of the buckets that are reported. Defaults to all.
	Buckets []string

	// Until is how far the clock runs. What was received later is left out. Defaults to now.
	Until time.Time

	// Against is what each of the buckets is compared with. Defaults to nothing.
	Against BackTestAgainst

	// Workers is how many users are worked out at once. Defaults to the number of processors.
	Workers int

	// Progress is called now and then. Defaults to nothing.
	Progress func(BackTestProgress)

	// Transition is called with each thing that would have happened to a reported bucket, ticks
	// included: user by user in the order in which the engine got to know them, and for each in the
	// order of time. Defaults to nothing.
	Transition func(Transition)
}

// BackTestAgainst is another version of a bucket. Setting any of its fields asks for a comparison.
type BackTestAgainst struct {
	// Registry is where the other version is. Defaults to the one that is run.
	Registry *registry.Registry

	// Bucket is the id of the other version. Defaults to the id of the bucket that is compared.
	Bucket string

	// Recorded says that the other version is what the engine did at the time, as it is logged.
	Recorded bool
}

// BackTestProgress is how far a back-test is.
type BackTestProgress = bucketgen.BackTestProgress

// BackTestResult is what a back-test found.
type BackTestResult = bucketgen.BackTestResult

// BackTestBucket is what would have happened to a bucket.
type BackTestBucket = bucketgen.BackTestBucket

// BackTestDay is what would have happened on a day.
type BackTestDay = bucketgen.BackTestDay

// BackTestVersions is how two versions of a bucket differ: the one that was run, and the other.
type BackTestVersions = bucketgen.BackTestVersions

// BackTestDiffers is by how much two versions of a bucket differ at the end of a day.
type BackTestDiffers = bucketgen.BackTestDiffers

// BackTest works out what buckets would have come to, had they been deployed from the beginning of
// the log: who would have entered and left them, and when. Events count in the order and at the
// time at which they were received, what the clock does happens at its own instant, and manual
// buckets change as they did. Nothing is written.
//
// What is not logged cannot be replayed: properties that users had before the log begins, or that
// were changed past the engine, and deletions that were undone. A user who is deleted now moves no
// more since then, and is no member.
//
// Memory does not grow with the number of users, but with what is logged of the busiest.
func (g *Deployments) BackTest(ctx context.Context, o BackTestOptions) (BackTestResult, error) {
	e := (*Engine)(g)
	if err := e.ready(); err != nil {
		return BackTestResult{}, fmt.Errorf("back-test: %w", err)
	}
	options, err := e.backTestOptions(o)
	if err != nil {
		return BackTestResult{}, fmt.Errorf("back-test: %w", err)
	}
	t, err := backtest.New(e.reads(), e.store, options)
	if err != nil {
		return BackTestResult{}, fmt.Errorf("back-test: %w", err)
	}
	result, err := t.Run(ctx)
	if err != nil {
		return BackTestResult{}, fmt.Errorf("back-test: %w", err)
	}
	return result, nil
}

// backTestOptions returns options with their defaults.
func (e *Engine) backTestOptions(o BackTestOptions) (backtest.Options, error) {
	if o.Registry == nil {
		o.Registry = e.handle
	}
	if o.Until.IsZero() {
		o.Until = e.config.Now()
	}
	if o.Workers < 0 {
		return backtest.Options{}, errors.New("the number of Workers is negative")
	}
	def(&o.Workers, runtime.GOMAXPROCS(0))
	options := backtest.Options{
		Registry: o.Registry.Tables(), Buckets: o.Buckets, Until: table.At(o.Until), Compare: o.Against != BackTestAgainst{},
		Other: o.Registry.Tables(), Bucket: o.Against.Bucket, Recorded: o.Against.Recorded,
		Workers: o.Workers, Progress: o.Progress, Transition: o.Transition,
	}
	if o.Against.Registry != nil {
		options.Other = o.Against.Registry.Tables()
	}
	return options, nil
}
