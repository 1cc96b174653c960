package refeval

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
)

// Op is what happens in a step.
type Op string

// The kinds of steps. Settle lets the clock do what is due at the step's instant too, which
// otherwise comes after whatever else happens to the user at that instant.
const (
	Ingest  Op = "ingest"
	Add     Op = "add"
	Remove  Op = "remove"
	Delete  Op = "delete"
	Restore Op = "restore"
	Merge   Op = "merge"  // the user becomes another
	Erase   Op = "erase"  // nothing is left of the user
	Deploy  Op = "deploy" // from now on other definitions are deployed
	Pause   Op = "pause"  // from now on nothing moves in a bucket
	Resume  Op = "resume"
	Settle  Op = "settle"
	Fire    Op = "fire"    // timers of members who expire do what the clock does in Settle
	Nothing Op = "nothing" // time passes without effect
)

// Action is something that happens at an instant. Steps come in the order of their instants, in
// whole microseconds.
type Action struct {
	At   time.Time
	Op   Op
	User string // empty in Settle, Deploy, Pause and Resume

	Into   string // of Merge: whom the user becomes
	Bucket string // of Add, Remove, Pause and Resume

	// Of Deploy: all definitions from now on, which must be correct, and what is announced of what
	// changes thereby.
	Definitions *ir.File
	Emit        Emit

	// The rest is of Ingest. Properties, Traits and TraitsOnce are JSON objects, or nil.
	Name       string
	Properties []byte
	Traits     []byte
	TraitsOnce []byte
	OccurredAt time.Time // zero: At
	Key        string
	TraitsOnly bool

	// Ids of Ingest beside User, which may be empty.
	Anonymous string
	Email     string
	Untrusted bool
}

// Transition is something that happened to a stay of a user in a bucket.
type Transition struct {
	Step       int // in which it came out
	User       string
	Bucket     string
	Kind       string // entered, left or dwell
	EntryCount int
	At         time.Time
	Source     string
	Reason     string // of a leave
	Suppressed bool
	Tick       string // the label of a tick
	DwellCount int
}

// String returns the transition in a line.
func (t Transition) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s entry count %d by %s", stamp(t.At), t.User, t.Kind, t.Bucket, t.EntryCount, t.Source)
	if t.Reason != "" {
		fmt.Fprintf(&b, " because of %s", t.Reason)
	}
	if t.Tick != "" {
		fmt.Fprintf(&b, " %s#%d", t.Tick, t.DwellCount)
	}
	if t.Suppressed {
		b.WriteString(" (suppressed)")
	}
	return b.String()
}

// Stay is one stay of a user in a bucket.
type Stay struct {
	User       string
	Bucket     string
	EntryCount int
	Source     string // of the join
	Reason     string // of the leave
	EnteredAt  time.Time
	LeftAt     time.Time // zero while active
}

// String returns the stay in a line.
func (s Stay) String() string {
	line := fmt.Sprintf("%s in %s entry count %d by %s from %s", s.User, s.Bucket, s.EntryCount, s.Source, stamp(s.EnteredAt))
	if s.LeftAt.IsZero() {
		return line
	}
	return line + " to " + stamp(s.LeftAt) + " because of " + s.Reason
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// StepResult is what became of a step.
type StepResult struct {
	Refused   string // why nothing was done, if so
	Duplicate bool
	Merged    bool // two users became one
}

// History is what came of a series of steps.
type History struct {
	Steps       []StepResult
	Transitions []Transition // of one user, in the order in which they happened; users are mixed
	Stays       []Stay       // by user, bucket and entry count
}

// Of returns the transitions of one user.
func (h *History) Of(user string) []Transition {
	return slices.DeleteFunc(slices.Clone(h.Transitions), func(t Transition) bool { return t.User != user })
}

// Rules are settings of a world.
type Rules struct {
	// AnonymousAge is how long an anonymous user stays after the last event. 0 is for ever.
	AnonymousAge time.Duration

	// Anonymous and Emails are how many anonymous ids and e-mail addresses a user may have. 0 is
	// 100 and 5.
	Anonymous, Emails int
}

// Defaults are the rules that hold unless a program sets others.
var Defaults = Rules{AnonymousAge: 30 * 24 * time.Hour}

// Run plays steps against definitions, which must be correct, and then lets the clock run up to
// until.
func Run(f *ir.File, steps []Action, until time.Time) *History {
	return Defaults.Run(f, steps, until)
}

// Run is the function Run by other rules.
func (r Rules) Run(f *ir.File, steps []Action, until time.Time) *History {
	return r.play(f, steps, until).history()
}

// Known plays steps as Run does, and returns what is known of each user then, by each of their
// names: nil of one who is deleted.
func Known(f *ir.File, steps []Action, until time.Time) map[string]*Facts {
	known := map[string]*Facts{}
	w := Defaults.play(f, steps, until)
	for name, u := range w.users {
		known[name] = &u.facts
		if u.deleted {
			known[name] = nil
		}
	}
	for name, into := range w.aliases {
		known[name] = known[into]
	}
	return known
}

func (r Rules) play(f *ir.File, steps []Action, until time.Time) *world {
	w := &world{rules: r, users: map[string]*user{}, aliases: map[string]string{}, given: map[string]given{}, refused: map[string]bool{}, paused: map[string]bool{}, emit: Leaves}
	w.define(f)
	for i := range steps {
		w.step = i
		w.wake(steps[i].At)
		w.results = append(w.results, w.run(&steps[i]))
	}
	w.step = len(steps)
	w.settle(until)
	return w
}

// define gives the world other definitions.
func (w *world) define(f *ir.File) {
	w.file, w.declared, w.traitsOnly = f, map[string]bool{}, map[string]bool{}
	w.definitions = slices.SortedFunc(slices.Values(f.Definitions), func(a, b ir.Definition) int { return strings.Compare(a.ID, b.ID) })
	for _, p := range f.Properties {
		w.declare(p.Name, p.TraitsOnly)
	}
	for i := range w.definitions {
		for _, n := range leaves(w.definitions[i].Criteria) {
			if n.Property != nil {
				w.declare(n.Property.Name, n.Property.TraitsOnly)
			}
		}
	}
	w.levels = levels(w.definitions)
}

func (w *world) declare(property string, traitsOnly bool) {
	w.declared[property] = true
	if traitsOnly {
		w.traitsOnly[property] = true
	}
}

// levels sorts definitions so that each comes in a later level than all that it asks about.
func levels(definitions []ir.Definition) [][]*ir.Definition {
	var all [][]*ir.Definition
	placed := map[string]bool{}
	for len(placed) < len(definitions) {
		var level []*ir.Definition
		for i := range definitions {
			d := &definitions[i]
			waits := slices.ContainsFunc(leaves(d.Criteria), func(leaf *ir.Node) bool { return leaf.Op == ir.OpMember && !placed[leaf.Bucket] })
			if !placed[d.ID] && !waits {
				level = append(level, d)
			}
		}
		for _, d := range level {
			placed[d.ID] = true
		}
		all = append(all, level)
	}
	return all
}

func leaves(n *ir.Node) []*ir.Node {
	if n == nil {
		return nil
	}
	if len(n.Children) == 0 {
		return []*ir.Node{n}
	}
	var all []*ir.Node
	for _, child := range n.Children {
		all = append(all, leaves(child)...)
	}
	return all
}

// world is all users with the definitions that are deployed.
type world struct {
	file        *ir.File
	definitions []ir.Definition    // by id
	levels      [][]*ir.Definition // each asks only about buckets of those before it; by id
	declared    map[string]bool    // properties
	traitsOnly  map[string]bool    // of those
	paused      map[string]bool    // buckets
	emit        Emit               // of the last deploy
	users       map[string]*user
	aliases     map[string]string // names that users had before they were merged, and whose they are
	given       map[string]given  // of the ids in aliases
	refused     map[string]bool   // users who could not be renamed by the present step
	joined      bool              // the ids of the present step made two users one
	merged      []*user           // as they were left
	gone        []*user           // who have expired
	past        []Transition      // of those, and by names that were given up
	rules       Rules
	step        int
	results     []StepResult
	transitions []Transition
}

func (w *world) definition(id string) *ir.Definition {
	for i := range w.definitions {
		if w.definitions[i].ID == id {
			return &w.definitions[i]
		}
	}
	return nil
}

// wake lets the anonymous expire who do so before an instant: from then on their ids are those of
// no user.
func (w *world) wake(t time.Time) {
	for _, u := range maps.Clone(w.users) {
		if u.visitor() {
			u.settleBefore(t)
		}
	}
}

// settle lets the clock do everything up to an instant for everybody.
func (w *world) settle(upTo time.Time) {
	for _, u := range maps.Clone(w.users) {
		u.settle(upTo)
	}
}

func (w *world) history() *History {
	h := &History{Steps: w.results, Transitions: slices.Concat(w.past, w.transitions)}
	for _, u := range slices.AppendSeq(slices.Concat(w.merged, w.gone), maps.Values(w.users)) {
		for bucket, stays := range u.stays {
			for _, s := range stays {
				h.Stays = append(h.Stays, Stay{
					User: u.name, Bucket: bucket, EntryCount: s.entryCount, Source: s.source, Reason: s.reason, EnteredAt: s.entered, LeftAt: s.left,
				})
			}
		}
	}
	slices.SortFunc(h.Stays, func(a, b Stay) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.EntryCount, b.EntryCount), a.EnteredAt.Compare(b.EnteredAt))
	})
	return h
}
