package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/retry"
	"github.com/bucketgen/bucketgen/internal/store"
)

// exchange completes deliveries, leases as many further ones as are wanted, and begins calls.
func (c *Dispatcher) exchange(ctx context.Context, batch []*delivery, want int) error {
	x := &store.Exchange{}
	dead := c.complete(x, batch)
	asked := c.now()
	if want > 0 {
		if err := c.claim(ctx, x, want); err != nil {
			c.restore(batch)
			return err
		}
	}
	if err := c.send(ctx, x); err != nil {
		c.restore(batch)
		return err
	}
	c.count(ctx, batch, dead)
	c.forget(batch)
	c.take(x, want, asked.Add(c.deps.Lease))
	c.dispatch(ctx)
	return nil
}

func (c *Dispatcher) send(ctx context.Context, x *store.Exchange) error {
	conn, err := c.deps.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	if err := x.Send(ctx, conn, c.deps.Store()); err != nil {
		return c.deps.Rollback(ctx, conn, fmt.Errorf("exchange with the outbox: %w", err))
	}
	return nil
}

// complete adds the outcomes of deliveries to an exchange, and returns those that are given up.
func (c *Dispatcher) complete(x *store.Exchange, batch []*delivery) (dead []*delivery) {
	x.Done.Lease, x.Released.Lease = c.deps.Process, c.deps.Process
	for _, d := range batch {
		switch {
		case d.back:
			x.Complete(&d.row, store.Returned, time.Time{}, "")
		case d.err == nil:
			x.Complete(&d.row, store.Done, time.Time{}, "")
		default:
			outcome := store.Waiting
			if int(d.row.Attempts) >= c.subscribers[d.row.SubscriptionNo].MaxAttempts || errors.As(d.err, new(*bucketgen.GiveUpError)) {
				outcome = store.Dead
				dead = append(dead, d)
			}
			x.Complete(&d.row, outcome, c.deps.Now().Add(d.rest()), storable(d.err))
		}
	}
	return dead
}

// rest returns how long a failed delivery waits for the next attempt.
func (d *delivery) rest() time.Duration {
	least := time.Duration(0)
	if later, ok := errors.AsType[*bucketgen.RetryAfterError](d.err); ok {
		least = later.After
	}
	return max(least, backoff(int(d.row.Attempts)))
}

// claim adds a claim to an exchange.
func (c *Dispatcher) claim(ctx context.Context, x *store.Exchange, want int) error {
	deployed := c.deps.Store().Deployment()
	if deployed == nil || c.stale {
		var err error
		if deployed, err = c.deps.Store().Refresh(ctx, c.deps.Pool); err != nil {
			return err
		}
	}
	now := c.deps.Now()
	x.Claim = &db.DeliveriesClaimParams{
		Virtual: c.deps.VirtualTime, Now: store.Timestamp(now), Until: store.Timestamp(now.Add(c.deps.Lease)), Lease: c.deps.Process,
		SubscriptionNos: c.subscriptions, Shares: c.shares(want), GenerationNo: deployed.No, PausedNos: deployed.Paused, Most: int32(want),
	}
	return nil
}

const fewest = 4 // deliveries that a claim may read of any subscription

// shares returns how much a claim may read of each subscription. Subscriptions that the last claim
// did not exhaust get equal parts of what is wanted, and the others a few, to notice new
// deliveries. So a claim reads about what it takes, for any number of subscriptions.
func (c *Dispatcher) shares(want int) []int32 {
	all := make([]int32, len(c.subscriptions))
	for i, no := range c.subscriptions {
		share := max(want/len(all), fewest)
		if most, ok := c.hungry[no]; ok {
			share = max(min((want+len(c.hungry)-1)/len(c.hungry), most), fewest)
		}
		all[i] = int32(share)
	}
	return all
}

// count counts the outcomes of an exchange.
func (c *Dispatcher) count(ctx context.Context, batch, dead []*delivery) {
	counters := &c.outbox.counters
	for _, d := range batch {
		switch {
		case d.back:
		case d.err == nil:
			counters.Delivered.Add(1)
		default:
			counters.Failed.Add(1)
		}
		if d.away {
			counters.Returned.Add(1)
		}
	}
	for _, d := range dead {
		counters.Dead.Add(1)
		c.deps.Log.ErrorContext(ctx, "delivery given up, see dead letters",
			"component", component, "subscription", c.subscribers[d.row.SubscriptionNo].Name, "delivery", d.row.ID, "error", storable(d.err))
	}
}

// forget removes completed deliveries. One that was leased a second time during its call goes back
// in the next exchange: its user was merged into another meanwhile, by whose name it comes again.
func (c *Dispatcher) forget(batch []*delivery) {
	if len(batch) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range batch {
		delete(c.current, d.row.ID)
		if d.again != nil {
			back := &delivery{row: *d.again, back: true}
			c.current[d.row.ID] = back
			c.finished = append(c.finished, back)
			c.poke()
		}
	}
	now := time.Now()
	pace := float64(len(batch)) / float64(max(now.Sub(c.completed), time.Microsecond))
	c.ahead = (c.ahead + int(min(pace*float64(aheadSpan), maxAhead))) / 2
	c.completed = now
}

// take queues the leased deliveries. until is the earliest end of their leases.
func (c *Dispatcher) take(x *store.Exchange, want int, until time.Time) {
	if x.Claim == nil {
		return
	}
	found, heads := map[int32]int{}, map[int32]int{}
	taken := 0
	c.mu.Lock()
	for i := range x.Rows {
		row := &x.Rows[i]
		found[row.SubscriptionNo]++
		if !row.Taken {
			continue
		}
		taken++
		heads[row.SubscriptionNo]++
		switch d := c.current[row.ID]; {
		case d == nil:
			d = &delivery{row: *row, until: until}
			c.current[row.ID] = d
			c.queue = append(c.queue, d)
		case !d.begun && !d.back:
			d.row, d.until = *row, until
		default:
			d.again = row // what is being made goes on
		}
	}
	c.mu.Unlock()
	for i, no := range c.subscriptions {
		before, ok := c.hungry[no]
		if !ok {
			before = maxClaim
		}
		delete(c.hungry, no)
		if found[no] >= int(x.Claim.Shares[i]) {
			c.hungry[no] = reach(before, found[no], heads[no])
		}
	}
	c.stale = x.Generation != x.Claim.GenerationNo
	c.more = c.stale || taken < len(x.Rows) || taken >= want || len(c.hungry) > 0
}

// reach returns how many deliveries of a subscription the next claim may read, after a claim that
// was allowed before, read found and took heads. A claim marks a delivery that is not a head yet,
// and an exchange later removes the mark; a delivery that is read once it is a head costs neither.
// So a claim reads little more than the last one took. A claim that took less than a quarter reads
// on at full size, because many heads may come after one long chain.
func reach(before, found, heads int) int {
	const quarter = 4
	next := heads + heads/8 + fewest
	switch {
	case heads < found/quarter:
		return maxClaim
	case heads == found:
		return max(next, before)
	}
	return next
}

// backoff returns the wait after a failed attempt: a second, doubled with each attempt up to 4,096
// s, with jitter. Twenty attempts take about ten hours.
func backoff(attempt int) time.Duration {
	return retry.Jitter(time.Second << min(attempt-1, 12))
}

// storable is the text of an error as PostgreSQL can store it.
func storable(err error) string {
	s := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "\uFFFD")
	const most = 4000
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
