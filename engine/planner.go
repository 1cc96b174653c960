package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/registry/table"
)

// newPlanner returns a planner. The numbers that the database has to give to names, so that what is known of them can be asked
// for, are written in a transaction that is rolled back.
func (e *Engine) newPlanner(ctx context.Context, o PlanOptions) (*planner, error) {
	if err := e.checkTables(ctx); err != nil {
		return nil, err
	}
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer tx.Rollback(ctx) // nothing of it stays
	s, err := store.New(ctx, tx, e.config.Schema, e.registry, e.config.CacheBytes, e.config.names())
	if err != nil {
		return nil, err
	}
	s.OwnTime = e.config.VirtualTime
	current, err := s.ReadDeployed(ctx, tx)
	if err != nil {
		return nil, err
	}
	return &planner{engine: e, store: s, registry: e.registry, current: current, options: o}, nil
}

// planner plans. It only reads.
type planner struct {
	engine   *Engine
	store    *store.Store     // of its own: the database may not know it
	runner   *transact.Runner // on the store, in view of the proposed deployment
	registry *table.Registry
	current  *store.Deployed

	options PlanOptions
	plan    *Plan
	places  []int // of the registry's buckets among those of the plan

	subscriptions []db.SubscriptionsAllRow

	mu     sync.Mutex // of what follows
	counts []bucketCounts
	looked int64
}

// bucketCounts is what would happen to a bucket, by those users who were looked at.
type bucketCounts struct {
	members             int64 // afterwards
	in                  []string
	joins, leaves, held int64
	emissions           map[int32]int64 // by subscription
}

// compare says how each bucket differs from what is deployed.
func (pl *planner) compare(ctx context.Context) error {
	proposed := pl.store.Propose(pl.current, pl.engine.now(), string(pl.options.Emit))
	pl.runner = pl.engine.newRunner(pl.store, pl.registry, pl.store.ViewOf(proposed))
	pl.plan = &Plan{Deployed: pl.current.Fingerprint(), Compiled: pl.registry.Fingerprint, Emit: pl.options.Emit, At: pl.engine.Now().UTC()}
	q := pl.store.Queries(pl.engine.pool)
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
		bp := BucketPlan{ID: row.ID, Name: row.Name, Paused: row.PausedAt.Valid, Members: members[row.No], Words: was[row.No]}
		switch {
		case !known:
			bp.Status = StatusRemoved
		case deployed.Fingerprint == nil:
			bp.Status, bp.Words = StatusNew, pl.engine.words(b)
		case deployed.SinceNo == row.SinceNo:
			bp.Status = StatusUnchanged
		default:
			bp.Status, bp.Was, bp.Words = StatusChanged, bp.Words, pl.engine.words(b)
		}
		if known {
			bp.Paused = bp.Paused || pl.registry.Buckets[b].Disabled
			pl.places[b] = len(pl.plan.Buckets)
		}
		pl.plan.Buckets = append(pl.plan.Buckets, bp)
	}
	slices.SortFunc(pl.plan.Buckets, func(a, b BucketPlan) int { return strings.Compare(a.ID, b.ID) })
	for i := range pl.plan.Buckets {
		if b, known := pl.registry.Bucket(pl.plan.Buckets[i].ID); known {
			pl.places[b] = i
		}
	}
	return nil
}

// lookAtAll looks at the users, page by page, several pages at once.
func (pl *planner) lookAtAll(ctx context.Context) error {
	const page = 500
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := make(chan []db.ContactsPageRow)
	var group sync.WaitGroup
	for range pl.engine.config.BackfillWorkers {
		group.Go(func() {
			for users := range pages {
				if err := pl.lookAt(ctx, users); err != nil {
					cancel(err)
				}
			}
		})
	}
	for after := int64(0); ctx.Err() == nil; {
		users, err := pl.store.Queries(pl.engine.pool).ContactsPage(ctx, db.ContactsPageParams{AfterID: after, Size: page})
		if err != nil {
			cancel(fmt.Errorf("read users: %w", err))
			break
		}
		if len(users) == 0 {
			break
		}
		after = users[len(users)-1].ID
		select {
		case pages <- users:
		case <-ctx.Done():
		}
	}
	close(pages)
	group.Wait()
	return context.Cause(ctx)
}

// lookAt takes users through the deployment, in memory.
func (pl *planner) lookAt(ctx context.Context, users []db.ContactsPageRow) error {
	var tasks []*transact.Task
	for _, u := range users {
		if !sampled(u.ID, pl.options.Sample) {
			continue
		}
		tasks = append(tasks, pl.engine.present(u.UserID, u.ID, (*decide.Session).Clock))
	}
	if len(tasks) > 0 {
		err := pl.runner.Consult(ctx, tasks, func(t *transact.Task, st *decide.State, s *decide.Session) { pl.count(t.Want.User, st, s.Changes()) })
		if err != nil {
			return err
		}
	}
	pl.mu.Lock()
	defer pl.mu.Unlock()
	pl.plan.Looked += int64(len(tasks))
	if pl.looked += int64(len(users)); pl.options.Progress != nil {
		pl.options.Progress(pl.looked, pl.plan.Users)
	}
	return nil
}

// sampled reports whether a user is in a sample: by their number, so that whoever asks again gets the same.
func sampled(id int64, part float64) bool {
	const odd = 0x9e3779b97f4a7c15 // spreads numbers that follow each other
	h := uint64(id) * odd
	h ^= h >> 32
	h *= odd
	return float64(h>>11)/(1<<53) < part
}

// count counts what follows from the deployment for a user.
func (pl *planner) count(user string, st *decide.State, c decide.Changes) {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	for _, t := range c.Transitions {
		if t.Source != SourceBackfill {
			continue
		}
		counts := &pl.counts[t.Bucket]
		var some *[]string
		if place := pl.places[t.Bucket]; place >= 0 {
			bp := &pl.plan.Buckets[place]
			some = map[Kind]*[]string{Entered: &bp.Joining, Left: &bp.Leaving}[t.Kind]
		}
		switch t.Kind {
		case Entered:
			counts.joins++
		case Left:
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
func (pl *planner) heldBack(st *decide.State, stay *decide.Stay, now table.Instant) bool {
	row := &pl.registry.Buckets[stay.Bucket]
	if row.MinDwell == 0 || row.Kind == table.Manual || pl.runner.View.Frozen(stay.Bucket) || now >= stay.EnteredAt.Add(row.MinDwell) {
		return false
	}
	return !pl.registry.Holds(stay.Bucket, st.Facts, now)
}

// emit counts who would be told of a transition.
func (pl *planner) emit(counts *bucketCounts, t *decide.Transition) {
	no := pl.store.Bucket(t.Bucket)
	for _, s := range pl.subscriptions {
		if (s.BucketNo == nil || *s.BucketNo == no) && slices.Contains(s.Kinds, string(t.Kind)) &&
			(t.Epoch == 1 || !s.FirstOnly) && (s.Reasons == nil || slices.Contains(s.Reasons, string(t.Reason))) &&
			(s.Label == nil || *s.Label == t.Label) {
			if counts.emissions == nil {
				counts.emissions = map[int32]int64{}
			}
			counts.emissions[s.No]++
		}
	}
}

// finish estimates everybody from those who were looked at.
func (pl *planner) finish() *Plan {
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
				bp.Reactions = append(bp.Reactions, Reaction{Name: s.Name, Kinds: s.Kinds, Emissions: pl.estimate(counts.emissions[s.No])})
			}
		}
	}
	return pl.plan
}

// estimate is the number of users of whom so many were seen in the sample.
func (pl *planner) estimate(seen int64) Estimate {
	part := pl.options.Sample
	if part == 1 {
		return Estimate{Count: seen}
	}
	const nineteenOutOfTwenty = 1.96
	// Where none, or hardly any, were seen, there may still be some: three are as many as none in a sample speaks for.
	n := max(float64(seen), 3)
	return Estimate{
		Count:     int64(math.Round(float64(seen) / part)),
		PlusMinus: int64(math.Ceil(nineteenOutOfTwenty * math.Sqrt(n*(1-part)) / part)),
	}
}
