package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/merge"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/store"
	"github.com/bucketgen/bucketgen/registry/table"
)

// link finds out whose items are, and does what their ids ask for before they are written. It
// returns how many items can be written then: an item whose ids make contacts one waits until the
// items of these contacts that came before it are written. An error is that of the item behind
// these. It retries for as long as a caller waits.
func (f *flush) link(ctx context.Context, items []*item) (ready int, err error) {
	if !slices.ContainsFunc(items, f.unresolved) {
		return len(items), nil
	}
	r := f.attempts()
	defer f.deps.Health.Finish(r)
	for moved := 0; ; moved++ {
		const most = 10 // before it waits between attempts
		ready, err = f.tryLink(ctx, items)
		switch {
		case err == nil || !slices.ContainsFunc(items, (*item).awaited):
			return ready, err
		case errors.Is(err, merge.ErrMoved) && moved < most:
		default:
			if err := f.again(ctx, r, err); err != nil {
				return ready, err
			}
		}
	}
}

// unresolved reports whether it is not known whose an item is, or what becomes of its ids.
func (f *flush) unresolved(it *item) bool {
	known := f.deps.Runner().Store
	if len(it.others) == 0 {
		return resolve.IsReserved(it.name()) && !known.Known(it.name())
	}
	return !f.linked(it)
}

// linked reports whether the ids of an item ask for nothing, as far as is known, and notes of which
// contact that is known.
func (f *flush) linked(it *item) bool {
	known, day := f.deps.Runner().Store, f.day(it)
	it.linked = 0
	var all int64
	for _, other := range it.others {
		contact, linked := known.Linked(it.given, other, day)
		if !linked || all != 0 && contact != all {
			return false
		}
		all = contact
	}
	it.linked = all
	return true
}

// day returns the day on which an item is decided on.
func (s *Service) day(it *item) table.Instant { return resolve.Day(it.clock(s.now())) }

func (f *flush) tryLink(ctx context.Context, items []*item) (ready int, err error) {
	var names []string
	for _, it := range items {
		if f.unresolved(it) {
			names = append(append(names, it.given), it.others...)
		}
	}
	l, err := f.linking(ctx, f.deps.Runner().Pool, names)
	if err != nil {
		return 0, err
	}
	for i, it := range items {
		if !f.unresolved(it) {
			l.touched[it.name()] = true
			continue
		}
		if later, err := l.item(ctx, it); err != nil || later {
			return i, err
		}
	}
	return len(items), nil
}

// linking resolves the ids of a batch.
type linking struct {
	service *Service
	owners  map[string]string    // names of contacts, by the names of their ids
	ids     map[string]int64     // their contacts, as far as these were there
	seen    map[string]time.Time // days on which further ids of contacts were seen last
	pending map[string]bool      // ids that are attached by an item before
	touched map[string]bool      // contacts of items before

	suppressed map[string]bool // ids of persons who were erased and may not come back
}

// linking reads which contacts names lead to.
func (s *Service) linking(ctx context.Context, conn db.DBTX, names []string) (*linking, error) {
	from := s.deps.Runner().Store
	rows, err := from.Queries(conn).IdentitiesUsers(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("resolve ids: %w", err)
	}
	l := &linking{
		service: s, owners: make(map[string]string, len(rows)), ids: make(map[string]int64, len(rows)), seen: map[string]time.Time{}, pending: map[string]bool{}, touched: map[string]bool{},
	}
	for _, row := range rows {
		l.owners[row.Name], l.ids[row.Name] = row.UserID, row.ID
		if row.SeenAt.InfinityModifier == pgtype.Finite {
			l.seen[row.Name] = row.SeenAt.Time
		}
	}
	unknown := slices.DeleteFunc(names, func(name string) bool { return l.owners[name] != "" })
	l.suppressed, err = from.SuppressedOf(ctx, conn, unknown)
	return l, err
}

// item resolves the ids of an item. later says that those before it have to be written first.
func (l *linking) item(ctx context.Context, it *item) (later bool, err error) {
	plan := l.decide(it, !it.untrusted)
	for _, step := range plan.Before {
		if l.touched[step.From] || l.touched[step.Into] || l.pending[step.From] {
			return true, nil
		}
	}
	for _, step := range plan.Before {
		if err := l.apply(ctx, it, step); err != nil {
			return false, err
		}
	}
	it.as, it.survivor, it.attach, it.seen = plan.Subject, 0, plan.Attached, l.unseen(it, plan.Subject)
	l.touched[it.as] = true
	for _, name := range plan.Attached {
		l.owners[name], l.pending[name] = plan.Subject, true
	}
	for _, name := range plan.Taken {
		it.warn(bucketgen.WarningIDTaken, name, "is that of another contact, and stays so")
	}
	if it.untrusted && plan.Idle() { // another sender may be trusted with more
		plan = l.decide(it, true)
	}
	if plan.Idle() && len(it.seen) == 0 {
		l.service.remember(it, l.ids[it.given])
	}
	return false, nil
}

// unseen returns the ids of an item that lead to its contact and were seen last on an earlier day.
func (l *linking) unseen(it *item, subject string) []string {
	var names []string
	today := l.service.day(it).Time()
	for _, name := range append([]string{it.given}, it.others...) {
		if last, further := l.seen[name]; further && l.owners[name] == subject && last.Before(today) {
			names = append(names, name)
		}
	}
	return names
}

// decide returns what the ids of an item ask for. Those that are suppressed ask for nothing.
func (l *linking) decide(it *item, trusted bool) resolve.Plan {
	names := []string{it.given}
	for _, other := range it.others {
		if !l.suppressed[other] && !l.suppressed[it.given] {
			names = append(names, other)
		}
	}
	return resolve.Decide(names, func(name string) string { return l.owners[name] }, trusted)
}

// inTx resolves the ids of an item in a caller's transaction.
func (l *linking) inTx(it *item) error {
	plan := l.decide(it, !it.untrusted)
	if plan.Barrier() {
		return bucketgen.ErrNeedsMerge
	}
	it.as, it.survivor, it.attach, it.seen = plan.Subject, 0, plan.Attached, l.unseen(it, plan.Subject)
	for _, name := range plan.Attached {
		l.owners[name] = plan.Subject
	}
	return nil
}

// apply does a step. One that is refused leaves the ids as they are.
func (l *linking) apply(ctx context.Context, it *item, step resolve.Change) error {
	err := l.service.deps.Merger().Apply(ctx, step, it.at)
	if merge.Refused(err) {
		l.service.refusals.log(ctx, l.service.deps.Log, step, err)
		code := bucketgen.WarningIDTaken
		if errors.Is(err, merge.ErrTooManyIDs) {
			code = bucketgen.WarningIDLimit
		}
		it.warn(code, step.From, "stays as it is: "+err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	for name, owner := range l.owners {
		if owner == step.From || name == step.From && step.Op == resolve.Share {
			l.owners[name] = step.Into
		}
	}
	if step.Op == resolve.Promote {
		l.owners[step.Into] = step.Into
	}
	return nil
}

// doubt forgets what was known of the ids of items, since their user is another by now.
func (s *Service) doubt(items []*item) {
	known := s.deps.Runner().Store
	known.ForgetLinks()
	for _, it := range items {
		if it.survivor != 0 {
			known.Forget(it.given)
			it.as, it.survivor = it.given, 0
		}
		it.linked = 0
	}
}

// remember notes that an item's ids ask for nothing, while its user has a contact, so that the next
// item with them does not look them up.
func (s *Service) remember(it *item, contact int64) {
	if contact == 0 {
		return
	}
	for _, other := range it.others {
		s.deps.Runner().Store.SetLinked(it.given, other, s.day(it), contact)
	}
}

// warn adds a warning about an id to an item.
func (it *item) warn(code, name, problem string) {
	kind, _ := resolve.Parse(name)
	field := map[string]string{resolve.User: "user_id", resolve.Anonymous: "anonymous_id", resolve.Email: "email"}[kind]
	if field == "" {
		field = "ids." + kind
	}
	it.warnings = append(it.warnings, bucketgen.Warning{Code: code, Field: field, Problem: problem})
}

// attached returns the ids that become those of the user of some items.
func (s *Service) attached(items []*item) []store.ID {
	var ids []store.ID
	for _, it := range items {
		for _, name := range it.attach {
			kind, _ := resolve.Parse(name)
			id := store.ID{Name: name, Most: s.deps.Limits.IDs.Limits.Most(kind)}
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// seen returns the ids of the user of some items that were seen last on an earlier day.
func seen(items []*item) []string {
	var names []string
	for _, it := range items {
		for _, name := range it.seen {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// settleIDs does what is left to do about the ids of items that were written: an id that was to
// become a user's, and led to another contact meanwhile, is resolved again.
func (f *flush) settleIDs(ctx context.Context, all []ingestion) {
	for i := range all {
		t := &all[i]
		for _, it := range t.items {
			lost := slices.ContainsFunc(it.attach, func(name string) bool { return slices.Contains(t.Lost, name) })
			switch {
			case t.Missed:
			case lost:
				f.relink(ctx, it)
			case len(it.attach) == 0 && len(it.seen) > 0: // an id that was attached may have been detached at once
				f.remember(it, t.Contact)
			}
		}
	}
}

// relink resolves the ids of an item that was written.
func (f *flush) relink(ctx context.Context, it *item) {
	again := *it
	if _, err := f.link(ctx, []*item{&again}); err != nil {
		f.deps.Log.WarnContext(ctx, "ids of an event that was stored are not linked", "component", "ingest", "error", err)
		return // the next event with these ids links them
	}
	it.warnings = again.warnings
	if len(again.attach) > 0 { // they still lead nowhere: the user has too many, of which each event warns
		for _, name := range again.attach {
			it.warn(bucketgen.WarningIDLimit, name, "is not kept: the contact has as many ids of this kind as it may")
		}
	}
}
