package hatchet

import (
	"context"
	"fmt"
	"time"

	v0 "github.com/hatchet-dev/hatchet/pkg/client"
	sdk "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// startEvent starts a timer for a member.
const startEvent = "bucket:arm-expiry"

// longestSleep is how long a timer sleeps at once. Hatchet forgets runs that are older than its
// retention, which is 30 days unless it was changed, so a longer timer is started again from time
// to time.
const longestSleep = 7 * 24 * time.Hour

// timer is the payload of a start event.
type timer struct {
	RowID    int64  `json:"rowId"` // of the membership
	BucketID string `json:"bucketId"`
	UserID   string `json:"userId,omitempty"`

	AnonymousID string            `json:"anonymousId,omitempty"` // of a user without a user id, as in a transition
	IDs         map[string]string `json:"ids,omitempty"`

	UserEmail      string    `json:"userEmail,omitempty"`
	ArmedExpiresAt time.Time `json:"armedExpiresAt"`
	MsUntilExpiry  int64     `json:"msUntilExpiry"`
	WakeAt         time.Time `json:"wakeAt"` // armedExpiresAt, or an instant before it to start the timer again
}

func (a *Adapter) timer(of engine.ExpiryTimer) timer {
	now := a.now()
	t := timer{
		RowID: of.MembershipID, BucketID: of.BucketID, UserEmail: of.UserEmail,
		ArmedExpiresAt: of.ExpiresAt.UTC(), MsUntilExpiry: of.ExpiresAt.Sub(now).Milliseconds(), WakeAt: of.ExpiresAt.UTC(),
	}
	t.UserID, t.AnonymousID, t.IDs = resolve.Split(of.UserID)
	if limit := now.Add(longestSleep).UTC(); t.WakeAt.After(limit) {
		t.WakeAt = limit
	}
	return t
}

func (t timer) expiry() engine.ExpiryTimer {
	return engine.ExpiryTimer{MembershipID: t.RowID, BucketID: t.BucketID, UserID: resolve.Join(t.UserID, t.AnonymousID, t.IDs), UserEmail: t.UserEmail, ExpiresAt: t.ArmedExpiresAt}
}

func (t timer) event() v0.EventWithAdditionalMetadata {
	return v0.EventWithAdditionalMetadata{
		Key: startEvent, Event: t,
		AdditionalMetadata: map[string]string{idempotencyKey: fmt.Sprintf("%s:%d:%d", startEvent, t.RowID, t.ArmedExpiresAt.UnixMicro())},
	}
}

// startTimers starts timers. Nothing is missed if that fails: the clock of the engine keeps the
// same instants.
func (a *Adapter) startTimers(ctx context.Context, timers []engine.ExpiryTimer) error {
	events := make([]v0.EventWithAdditionalMetadata, len(timers))
	for i, t := range timers {
		events[i] = a.timer(t).event()
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
			return expiryResult{"started again"}, a.restart(ctx, t, a.now())
		}
		e, err := a.engine.Clock().FireTimer(ctx, t.expiry())
		if err == nil && e == engine.ExpiryEarly { // clocks differ
			err = a.restart(ctx, t, a.now().Add(time.Second))
		}
		return expiryResult{string(e)}, err
	}, durable(sdk.WithWorkflowEvents(startEvent))...)
}

// restart starts a timer again for the same instant, to wake at notBefore or later.
func (a *Adapter) restart(ctx context.Context, t timer, notBefore time.Time) error {
	next := a.timer(t.expiry())
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
