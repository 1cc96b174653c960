package rollout

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Planner computes the effect of a deployment. It only reads.
type Planner struct {
	// Runner is on a store that has the proposed buckets. The planner sets the view.
	Runner *transact.Runner

	// Current is what is deployed.
	Current *store.Deployed

	// Options are those of a decision at the present time.
	Options decide.Options

	// Workers is how many pages of users are evaluated at once.
	Workers int
}

// Plan returns the effect of a deployment of all buckets.
func (p *Planner) Plan(ctx context.Context, o bucketgen.PlanOptions) (*bucketgen.Plan, error) {
	run, err := p.newRun(ctx, o)
	if err != nil {
		return nil, err
	}
	if run.plan.Changes() {
		if err := run.evaluateAll(ctx, run.evaluate); err != nil {
			return nil, err
		}
	}
	return run.finish(), nil
}

// Preview returns who would be in a bucket after a deployment.
func (p *Planner) Preview(ctx context.Context, b table.BucketIndex, o bucketgen.PreviewOptions) (*bucketgen.Preview, error) {
	run, err := p.newRun(ctx, bucketgen.PlanOptions{Sample: o.Sample, Users: o.Users, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	if err := run.evaluateAll(ctx, run.evaluate); err != nil {
		return nil, err
	}
	plan := run.finish()
	of := plan.Buckets[run.places[b]]
	return &bucketgen.Preview{
		ID: of.ID, Name: of.Name, Status: of.Status, Words: words.Bucket(run.registry, b), At: plan.At, Users: plan.Users,
		Looked: plan.Looked, Now: of.Members, Members: run.estimate(run.counts[b].members),
		Some: slices.Sorted(slices.Values(run.counts[b].in)),
	}, nil
}

// withDefaults returns options with their defaults, or what is wrong with them.
func withDefaults(o bucketgen.PlanOptions) (bucketgen.PlanOptions, error) {
	if o.Sample == 0 {
		o.Sample = 1
	}
	if o.Users == 0 {
		o.Users = 5
	}
	if o.Emit == "" {
		o.Emit = bucketgen.EmitLeaves
	}
	switch {
	case !(o.Sample > 0 && o.Sample <= 1):
		return o, fmt.Errorf("the sample is %v; it must be more than 0 and at most 1", o.Sample)
	case !slices.Contains([]bucketgen.Emit{bucketgen.EmitSilent, bucketgen.EmitLeaves, bucketgen.EmitAll}, o.Emit):
		return o, fmt.Errorf("there is no way to emit called %q; use silent, leaves or all", o.Emit)
	}
	return o, nil
}

// planning is one run of a planner.
type planning struct {
	workers  int
	session  decide.Options
	store    *store.Store
	runner   *transact.Runner // in view of the proposed deployment
	registry *table.Registry
	current  *store.Deployed

	options bucketgen.PlanOptions
	plan    *bucketgen.Plan
	places  []int // of the registry's buckets among those of the plan

	subscriptions []db.SubscriptionsAllRow

	mu        sync.Mutex // of what follows
	counts    []bucketCounts
	evaluated int64
}

// bucketCounts is what would happen to a bucket, by the users who were evaluated.
type bucketCounts struct {
	members             int64 // afterwards
	in                  []string
	joins, leaves, held int64
	emissions           map[int32]int64 // by subscription
}

// newRun checks options, and compares the buckets with what is deployed.
func (p *Planner) newRun(ctx context.Context, o bucketgen.PlanOptions) (*planning, error) {
	o, err := withDefaults(o)
	if err != nil {
		return nil, err
	}
	runner := *p.Runner
	pl := &planning{
		workers: p.Workers, session: p.Options, store: runner.Store, runner: &runner, registry: runner.Registry,
		current: p.Current, options: o,
	}
	return pl, pl.compare(ctx)
}

// compare finds out how each bucket differs from what is deployed.
func (pl *planning) compare(ctx context.Context) error {
	proposed := pl.store.Propose(pl.current, pl.runner.Now(), string(pl.options.Emit))
	pl.runner.View = pl.store.ViewOf(proposed)
	pl.plan = &bucketgen.Plan{Deployed: pl.current.Fingerprint(), Compiled: pl.registry.Fingerprint, Emit: pl.options.Emit, At: pl.runner.Now().Time()}
	q := pl.store.Queries(pl.runner.Pool)
	definitions, err := q.DefinitionsCurrent(ctx)
	if err != nil {
		return fmt.Errorf("read the definitions: %w", err)
	}
	was := map[int32][]string{}
	for _, d := range definitions {
		was[d.BucketNo] = d.Words
	}
	if pl.subscriptions, err = q.SubscriptionsAll(ctx); err != nil {
		return fmt.Errorf("read the subscriptions: %w", err)
	}
	counted, err := q.MembershipsCounts(ctx)
	if err != nil {
		return fmt.Errorf("count members: %w", err)
	}
	members := map[int32]int64{}
	for _, row := range counted {
		members[row.BucketNo] = row.Members
	}
	if pl.plan.Users, err = q.ContactsCount(ctx); err != nil {
		return fmt.Errorf("count users: %w", err)
	}
	pl.places = slices.Repeat([]int{-1}, len(pl.registry.Buckets))
	pl.counts = make([]bucketCounts, len(pl.registry.Buckets))
	for i, row := range proposed.Buckets {
		deployed := pl.current.Buckets[i]
		b, known := pl.store.Index(row.No)
		if !known && deployed.Fingerprint == nil {
			continue
		}
		bp := bucketgen.BucketPlan{ID: row.ID, Name: row.Name, Paused: row.PausedAt.Valid, Members: members[row.No], Words: was[row.No]}
		switch {
		case !known:
			bp.Status = bucketgen.StatusRemoved
		case deployed.Fingerprint == nil:
			bp.Status, bp.Words = bucketgen.StatusNew, words.Bucket(pl.registry, b)
		case deployed.SinceNo == row.SinceNo:
			bp.Status = bucketgen.StatusUnchanged
		default:
			bp.Status, bp.Was, bp.Words = bucketgen.StatusChanged, bp.Words, words.Bucket(pl.registry, b)
		}
		if known {
			bp.Paused = bp.Paused || pl.registry.Buckets[b].Disabled
			pl.places[b] = len(pl.plan.Buckets)
		}
		pl.plan.Buckets = append(pl.plan.Buckets, bp)
	}
	slices.SortFunc(pl.plan.Buckets, func(a, b bucketgen.BucketPlan) int { return strings.Compare(a.ID, b.ID) })
	for i := range pl.plan.Buckets {
		if b, known := pl.registry.Bucket(pl.plan.Buckets[i].ID); known {
			pl.places[b] = i
		}
	}
	return nil
}

// evaluateAll evaluates the users, page by page, several pages at once.
func (pl *planning) evaluateAll(ctx context.Context, evaluate func(context.Context, []transact.User) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := make(chan []transact.User)
	var group sync.WaitGroup
	for range pl.workers {
		group.Go(func() {
			for users := range pages {
				if err := evaluate(ctx, users); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := transact.ForEach(ctx, nil, 0, func(after int64) ([]transact.User, error) {
		return usersAfter(ctx, pl.store.Queries(pl.runner.Pool), after)
	}, func(users []transact.User) (int64, error) {
		select {
		case pages <- users:
			return transact.Last(users), nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	})
	if err != nil {
		cancel(err)
	}
	close(pages)
	group.Wait()
	return context.Cause(ctx)
}

// evaluate takes users through the deployment, in memory.
func (pl *planning) evaluate(ctx context.Context, users []transact.User) error {
	some := slices.DeleteFunc(slices.Clone(users), func(u transact.User) bool { return !sampled(u.Contact, pl.options.Sample) })
	tasks := pl.runner.Tasks(some, pl.session, (*decide.Session).Clock)
	if len(tasks) > 0 {
		err := pl.runner.Consult(ctx, tasks, func(t *transact.Task, st *decide.State, s *decide.Session) { pl.count(t.Want.User, st, s.Changes()) })
		if err != nil {
			return err
		}
	}
	pl.advance(len(users), len(tasks))
	return nil
}

// advance notes how far the run is: how many users were read, and how many of them evaluated.
func (pl *planning) advance(users, evaluated int) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	pl.plan.Looked += int64(evaluated)
	if pl.evaluated += int64(users); pl.options.Progress != nil {
		pl.options.Progress(pl.evaluated, pl.plan.Users)
	}
}

// sampled reports whether a user is in a sample: by their number, so that the next plan has the
// same.
func sampled(id int64, part float64) bool {
	const odd = 0x9e3779b97f4a7c15 // spreads numbers that follow each other
	h := uint64(id) * odd
	h ^= h >> 32
	h *= odd
	return float64(h>>11)/(1<<53) < part
}

// count counts what follows from the deployment for a user.
func (pl *planning) count(user string, st *decide.State, c decide.Changes) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	for _, t := range c.Transitions {
		if t.Source != bucketgen.SourceBackfill {
			continue
		}
		counts := &pl.counts[t.Bucket]
		var some *[]string
		if place := pl.places[t.Bucket]; place >= 0 {
			bp := &pl.plan.Buckets[place]
			some = map[bucketgen.Kind]*[]string{bucketgen.Entered: &bp.Joining, bucketgen.Left: &bp.Leaving}[t.Kind]
		}
		switch t.Kind {
		case bucketgen.Entered:
			counts.joins++
		case bucketgen.Left:
			counts.leaves++
		default:
		}
		if some != nil && len(*some) < pl.options.Users {
			*some = append(*some, user)
		}
		if !t.Suppressed {
			pl.emit(counts, &t)
		}
	}
	for i := range st.Stays {
		stay := &st.Stays[i]
		if counts := &pl.counts[stay.Bucket]; stay.Active() && !st.Contact.Deleted {
			counts.members++
			if len(counts.in) < pl.options.Users {
				counts.in = append(counts.in, user)
			}
		}
		if pl.runner.View.Since(stay.Bucket) == pl.runner.View.No && stay.Active() && !st.Contact.Deleted && pl.heldBack(st, stay, c.Now) {
			pl.counts[stay.Bucket].held++
		}
	}
}

// heldBack reports whether min dwell alone keeps a user in a bucket.
func (pl *planning) heldBack(st *decide.State, stay *decide.Stay, now table.Instant) bool {
	row := &pl.registry.Buckets[stay.Bucket]
	if row.MinDwell == 0 || row.Kind == table.Manual || pl.runner.View.Frozen(stay.Bucket) || now >= stay.EnteredAt.Add(row.MinDwell) {
		return false
	}
	return !pl.registry.Holds(stay.Bucket, st.Facts, now)
}

// emit counts which subscriptions would receive a transition.
func (pl *planning) emit(counts *bucketCounts, t *decide.Transition) {
	no := pl.store.Bucket(t.Bucket)
	for _, s := range pl.subscriptions {
		if (s.BucketNo == nil || *s.BucketNo == no) && slices.Contains(s.Kinds, string(t.Kind)) &&
			(t.EntryCount == 1 || !s.FirstOnly) && (s.Reasons == nil || slices.Contains(s.Reasons, string(t.Reason))) &&
			(s.Tick == nil || *s.Tick == t.Tick) {
			if counts.emissions == nil {
				counts.emissions = map[int32]int64{}
			}
			counts.emissions[s.No]++
		}
	}
}

// finish estimates all users from those who were evaluated.
func (pl *planning) finish() *bucketgen.Plan {
	for b, place := range pl.places {
		if place < 0 {
			continue
		}
		bp, counts := &pl.plan.Buckets[place], &pl.counts[b]
		bp.Joins, bp.Leaves, bp.Held = pl.estimate(counts.joins), pl.estimate(counts.leaves), pl.estimate(counts.held)
		slices.Sort(bp.Joining)
		slices.Sort(bp.Leaving)
		no := pl.store.Bucket(table.BucketIndex(b))
		for _, s := range pl.subscriptions {
			if s.BucketNo == nil && counts.emissions[s.No] > 0 || s.BucketNo != nil && *s.BucketNo == no {
				bp.Reactions = append(bp.Reactions, bucketgen.Reaction{Name: s.Name, Kinds: s.Kinds, Emissions: pl.estimate(counts.emissions[s.No])})
			}
		}
	}
	return pl.plan
}

// estimate returns the number of users from the number seen in the sample.
func (pl *planning) estimate(seen int64) bucketgen.Estimate { return Estimate(seen, pl.options.Sample) }

// Estimate returns the number of users from the number seen in a sample, which is a part of all
// from 0 to 1.
func Estimate(seen int64, part float64) bucketgen.Estimate {
	if part == 1 {
		return bucketgen.Estimate{Count: seen}
	}
	const nineteenOutOfTwenty = 1.96
	// Where none, or hardly any, were seen, there may still be some: three are as many as none in a
	// sample speaks for.
	n := max(float64(seen), 3)
	return bucketgen.Estimate{
		Count:     int64(math.Round(float64(seen) / part)),
		PlusMinus: int64(math.Ceil(nineteenOutOfTwenty * math.Sqrt(n*(1-part)) / part)),
	}
}
