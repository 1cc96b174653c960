package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/refeval"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

// pair is a bucket and a user. Whatever happens, happens to a pair.
type pair struct{ bucket, user string }

// act is something that happened to a pair.
type act struct {
	at         time.Time
	kind       string // entered, left or dwell
	entryCount int
	source     string // by the peer's words
	reason     string
	dwellCount int
	emitted    bool
	tick       string // which tick it is; only a prediction knows
}

func (a act) String() string {
	line := fmt.Sprintf("%s %s entry count %d by %s", a.at.UTC().Format("2006-01-02T15:04:05.999999Z"), a.kind, a.entryCount, a.source)
	if a.reason != "" {
		line += " because of " + a.reason
	}
	if a.dwellCount > 0 {
		line += fmt.Sprintf(" #%d", a.dwellCount)
	}
	if !a.emitted {
		line += " (not emitted)"
	}
	return line
}

func lines(acts []act) string {
	if len(acts) == 0 {
		return "    nothing\n"
	}
	var b strings.Builder
	for _, a := range acts {
		fmt.Fprintf(&b, "    %s\n", a)
	}
	return b.String()
}

// ours returns what the reference says happened, by pair and in order.
func ours(h *refeval.History) map[pair][]act {
	all := map[pair][]act{}
	for _, t := range h.Transitions {
		p := pair{t.Bucket, peerName(t.User)}
		all[p] = append(all[p], act{
			at: t.At, kind: t.Kind, entryCount: t.EntryCount, source: peerSource(t.Source), reason: t.Reason, dwellCount: t.DwellCount,
			emitted: !t.Suppressed,
		})
	}
	return all
}

// peerName returns the peer's name of a user: it has one namespace for user ids and anonymous ids,
// and shows a contact that has neither by the e-mail address.
func peerName(name string) string {
	kind, value := resolve.Parse(name)
	switch kind {
	case resolve.Email:
		return "<contact:" + value + ">"
	case resolve.Shared:
		return peerName(value)
	default:
		return value
	}
}

// peerSource returns the peer's word for what made a transition happen: its clock is the
// reconciliation.
func peerSource(source string) string {
	if source == "clock" {
		return "reconcile"
	}
	return source
}

// recorded is what the peer was seen to do to each pair, in each step.
type recorded map[pair][][]act

// recorded puts the transitions that were emitted together with those that only the final table
// knows of.
func (v *Vector) recorded() (recorded, error) {
	r := recorded{}
	for _, t := range v.Expected.Transitions {
		if t.Step < 0 || t.Step >= len(v.Steps) {
			return nil, fmt.Errorf("there is no step %d", t.Step)
		}
		r.add(v, t.Step, pair{t.Bucket, t.User}, act{
			kind: t.Kind, entryCount: t.EntryCount, source: t.Source, reason: t.Reason, dwellCount: t.DwellCount, emitted: true,
		})
	}
	for _, m := range v.Expected.Memberships {
		p := pair{m.Bucket, m.User}
		if err := r.complete(v, p, act{at: m.EnteredAt, kind: "entered", entryCount: m.EntryCount, source: m.Source}); err != nil {
			return nil, err
		}
		if m.LeftAt == nil {
			continue
		}
		if err := r.complete(v, p, act{at: *m.LeftAt, kind: "left", entryCount: m.EntryCount}); err != nil {
			return nil, err
		}
	}
	for _, steps := range r {
		for i := range steps {
			slices.SortStableFunc(steps[i], func(a, b act) int { return cmp.Compare(rank(a), rank(b)) })
		}
	}
	return r, nil
}

// rank is the place of an act within an instant: leaves, joins, ticks.
func rank(a act) int { return slices.Index([]string{"left", "entered", "dwell"}, a.kind) }

func (r recorded) add(v *Vector, step int, p pair, a act) {
	if r[p] == nil {
		r[p] = make([][]act, len(v.Steps))
	}
	a.at = v.Steps[step].At
	r[p][step] = append(r[p][step], a)
}

// complete adds an act that the final table knows of, unless it was emitted, to a step at its
// instant.
func (r recorded) complete(v *Vector, p pair, a act) error {
	var at []int
	for i := range v.Steps {
		if !v.Steps[i].At.Equal(a.at) {
			continue
		}
		at = append(at, i)
		if r[p] == nil {
			continue
		}
		for _, known := range r[p][i] {
			if known.kind == a.kind && known.entryCount == a.entryCount {
				return nil
			}
		}
	}
	if len(at) == 0 {
		return fmt.Errorf("%s of %s in %s: there is no step at that instant", a, p.user, p.bucket)
	}
	best := at[0]
	for _, i := range at {
		if v.Steps[i].could(p.user, a.source) {
			best = i
			break
		}
	}
	if a.source == "" {
		a.source, a.reason = "reconcile", "criteria"
		if op := v.Steps[best].Op; op == "event" || op == "backfill" {
			a.source = op
		}
	}
	r.add(v, best, p, a)
	return nil
}

// could reports whether a step could have been what the table calls the source of an act.
func (s *Action) could(user, source string) bool {
	switch s.Op {
	case "event":
		return s.subject() == user && source != "reconcile" && source != "backfill"
	case "reconcile", "backfill":
		return source == s.Op || source == ""
	case "fire_timers":
		return source == "reconcile" || source == ""
	default:
		return false
	}
}

// subject returns the name by which the peer knew whom a step was about.
func (s *Action) subject() string { return cmp.Or(s.Observed.UserKey, s.User) }
