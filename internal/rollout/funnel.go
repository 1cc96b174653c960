package rollout

import (
	"context"
	"fmt"
	"slices"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/transact"
	"github.com/bucketgen/bucketgen/internal/words"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Funnel returns how many users meet which conditions of a bucket, as this program defines it, and
// for each node of its criteria some of the users who meet all other parts. Deleted users are left
// out.
func (p *Planner) Funnel(ctx context.Context, b table.BucketIndex, o bucketgen.PreviewOptions) (*bucketgen.Funnel, map[int][]string, error) {
	options, err := withDefaults(bucketgen.PlanOptions{Sample: o.Sample, Users: o.Users, Progress: o.Progress})
	if err != nil {
		return nil, nil, err
	}
	runner := *p.Runner
	runner.View = runner.Store.ViewOf(runner.Store.Propose(p.Current, runner.Now(), string(options.Emit)))
	pl := &planning{
		workers: p.Workers, session: p.Options, store: runner.Store, runner: &runner, registry: runner.Registry, options: options,
		plan: &bucketgen.Plan{At: runner.Now().Time()},
	}
	if pl.plan.Users, err = pl.store.Queries(runner.Pool).ContactsCount(ctx); err != nil {
		return nil, nil, fmt.Errorf("count users: %w", err)
	}
	f := &funnel{planning: pl, bucket: b, parts: branches(words.Criteria(pl.registry, b), pl.registry.Buckets[b].Criteria), users: map[int][]string{}}
	if f.parts != nil {
		if err := pl.evaluateAll(ctx, f.evaluate); err != nil {
			return nil, nil, err
		}
	}
	out := &bucketgen.Funnel{BucketID: pl.registry.Buckets[b].ID, At: pl.plan.At, Users: pl.plan.Users, Looked: pl.plan.Looked}
	if f.parts != nil {
		root := f.report(f.parts, false, false)
		out.Criteria = &root
	}
	for _, some := range f.users {
		slices.Sort(some)
	}
	return out, f.users, nil
}

// funnel is one run that counts conditions.
type funnel struct {
	*planning

	bucket table.BucketIndex
	parts  *branch          // nil: the bucket is manual
	users  map[int][]string // users has, by node, some of those who meet all parts but that
}

// branch is a condition of a criteria with its counts.
type branch struct {
	line                   words.Line
	all                    bool // the condition is that all parts are met
	parts                  []*branch
	count, remaining, only int64
}

// branches returns the tree of the lines of a criteria, nil without any.
func branches(lines []words.Line, nodes []table.Node) *branch {
	if len(lines) == 0 {
		return nil
	}
	top := &branch{line: lines[0], all: nodes[lines[0].Node].Op == table.OpAll}
	for rest := lines[1:]; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Depth > rest[0].Depth {
			n++
		}
		top.parts = append(top.parts, branches(rest[:n], nodes))
		rest = rest[n:]
	}
	return top
}

// evaluate traces the criteria for users, in memory.
func (f *funnel) evaluate(ctx context.Context, users []transact.User) error {
	var tasks []*transact.Task
	traces := map[*transact.Task][]table.Traced{}
	for _, u := range users {
		if !sampled(u.Contact, f.options.Sample) {
			continue
		}
		var t *transact.Task
		t = f.runner.Existing(u.ID, u.Contact, f.session, func(s *decide.Session, clock table.Instant) decide.Result {
			result := s.Clock(clock)
			traces[t] = s.Trace(f.bucket)
			return result
		})
		tasks = append(tasks, t)
	}
	if len(tasks) > 0 {
		err := f.runner.Consult(ctx, tasks, func(t *transact.Task, st *decide.State, _ *decide.Session) {
			if !st.Contact.Deleted {
				f.add(t.Want.User, traces[t])
			}
		})
		if err != nil {
			return err
		}
	}
	f.advance(len(users), len(tasks))
	return nil
}

// add counts a user.
func (f *funnel) add(user string, trace []table.Traced) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parts.add(trace)
	if !f.parts.all {
		return
	}
	failed := slices.DeleteFunc(slices.Clone(f.parts.parts), func(p *branch) bool { return trace[p.line.Node].True })
	if len(failed) != 1 {
		return
	}
	failed[0].only++
	if node := failed[0].line.Node; len(f.users[node]) < f.options.Users {
		f.users[node] = append(f.users[node], user)
	}
}

// add counts a user for the condition and its parts.
func (b *branch) add(trace []table.Traced) {
	if trace[b.line.Node].True {
		b.count++
	}
	remains := true
	for _, part := range b.parts {
		part.add(trace)
		if remains = remains && trace[part.line.Node].True; remains {
			part.remaining++
		}
	}
}

// report returns what was counted of a condition, which is a part of "all of" or even of the one
// that is the whole criteria.
func (f *funnel) report(b *branch, ofAll, ofTop bool) bucketgen.FunnelPart {
	p := bucketgen.FunnelPart{Node: b.line.Node, Words: b.line.Text, Count: f.estimate(b.count)}
	if ofAll {
		remaining := f.estimate(b.remaining)
		p.Remaining = &remaining
	}
	if ofTop {
		only := f.estimate(b.only)
		p.Only = &only
	}
	for _, part := range b.parts {
		p.Parts = append(p.Parts, f.report(part, b.all, b.all && b == f.parts))
	}
	return p
}
