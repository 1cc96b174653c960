package hatchet

import (
	"context"
	"fmt"
	"time"

	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	sdk "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/bucketgen/bucketgen/engine"
)

// armEvent arms a timer for a member.
const armEvent = "bucket:arm-expiry"

// longestSleep is how long a timer sleeps at once. Hatchet forgets runs that are older than its
// retention, which is 30 days unless it was changed, so who sleeps longer is armed anew from time
// to time.
const longestSleep = 7 * 24 * time.Hour

// timer is the payload of an arm event.
type timer struct {
	RowID          int64     `json:"rowId"` // of the membership
	BucketID       string    `json:"bucketId"`
	UserID         string    `json:"userId"`
	UserEmail      string    `json:"userEmail,omitempty"`
	ArmedExpiresAt time.Time `json:"armedExpiresAt"`
	MsUntilExpiry  int64     `json:"msUntilExpiry"`
	WakeAt         time.Time `json:"wakeAt"` // armedExpiresAt, or an instant before it to arm the timer again
}

func (a *Adapter) timer(arm engine.ExpiryTimer) timer {
	now := a.now()
	t := timer{
		RowID: arm.MembershipID, BucketID: arm.BucketID, UserID: arm.UserID, UserEmail: arm.UserEmail,
		ArmedExpiresAt: arm.ExpiresAt.UTC(), MsUntilExpiry: arm.ExpiresAt.Sub(now).Milliseconds(), WakeAt: arm.ExpiresAt.UTC(),
	}
	if limit := now.Add(longestSleep).UTC(); t.WakeAt.After(limit) {
		t.WakeAt = limit
	}
	return t
}

func (t timer) arm() engine.ExpiryTimer {
	return engine.ExpiryTimer{MembershipID: t.RowID, BucketID: t.BucketID, UserID: t.UserID, UserEmail: t.UserEmail, ExpiresAt: t.ArmedExpiresAt}
}

func (t timer) event() v0.EventWithAdditionalMetadata {
	return v0.EventWithAdditionalMetadata{
		Key: armEvent, Event: t,
		AdditionalMetadata: map[string]string{idempotencyKey: fmt.Sprintf("%s:%d:%d", armEvent, t.RowID, t.ArmedExpiresAt.UnixMicro())},
	}
}

// arm arms timers. A timer that could not be armed is none that is missed: the clock of the engine
// minds the same instants.
func (a *Adapter) arm(ctx context.Context, arms []engine.ExpiryTimer) error {
	events := make([]v0.EventWithAdditionalMetadata, len(arms))
	for i, arm := range arms {
		events[i] = a.timer(arm).event()
	}
	return a.announce(ctx, events)
}

// expiryResult is the output of a timer's run.
type expiryResult struct {
	Expiry string `json:"expiry"`
}

// expiryTask is the one task of all timers: it sleeps until a member's time is over and has the
// engine evaluate them. A run that comes back after a crash does it again, which does no harm.
func (a *Adapter) expiryTask() *sdk.StandaloneTask {
	return a.client.tasks.NewStandaloneDurableTask(ownTasks+"expiry", func(ctx sdk.DurableContext, t timer) (expiryResult, error) {
		a.waits.watch(ctx)
		if _, err := ctx.SleepUntil(t.WakeAt); err != nil {
			return expiryResult{}, err // the run is moved elsewhere
		}
		if t.WakeAt.Before(t.ArmedExpiresAt) {
			return expiryResult{"armed again"}, a.armAgain(ctx, t, a.now())
		}
		e, err := a.engine.Clock().FireTimer(ctx, t.arm())
		if err == nil && e == engine.ExpiryEarly { // clocks differ
			err = a.armAgain(ctx, t, a.now().Add(time.Second))
		}
		return expiryResult{string(e)}, err
	}, durable(sdk.WithWorkflowEvents(armEvent))...)
}

// armAgain arms a timer for what it is armed for already, to wake at an instant or later.
func (a *Adapter) armAgain(ctx context.Context, t timer, notBefore time.Time) error {
	next := a.timer(t.arm())
	if next.WakeAt.Before(notBefore) {
		next.WakeAt = notBefore.UTC()
	}
	return a.client.pushAll(ctx, []v0.EventWithAdditionalMetadata{next.event()})
}

// durable returns the options of tasks that sleep. Without them Hatchet loses runs: of those that
// sleep longer than they may run, and of those that no worker takes at once.
func durable(more ...sdk.StandaloneTaskOption) []sdk.StandaloneTaskOption {
	return append([]sdk.StandaloneTaskOption{
		sdk.WithRetries(20), sdk.WithRetryBackoff(2, 3600),
		sdk.WithScheduleTimeout(30 * 24 * time.Hour), sdk.WithExecutionTimeout(time.Hour),
		sdk.WithEvictionPolicy(&sdk.EvictionPolicy{TTL: 5 * time.Second, AllowCapacityEviction: true}),
	}, more...)
}
