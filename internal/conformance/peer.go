package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/internal/ir"
	"github.com/bucketgen/bucketgen/internal/refeval"
)

// scene is a scenario with what the reference made of it.
type scene struct {
	*registered
	vector  *Vector
	history *refeval.History
}

// factual are the deviations by which the peer knows other facts than we do, or reads them
// differently.
var factual = []Deviation{HalfOpen, Payload, Duplicates, Reserved, Future, NothingIsLost, BlankNames, PushApart}

// readings returns the sets of factual deviations, the smallest first and the empty one at the
// front.
func readings() []deviations {
	sets := make([]deviations, 1<<len(factual))
	for mask := range sets {
		sets[mask] = deviations{}
		for i, d := range factual {
			if mask&(1<<i) != 0 {
				sets[mask].add(d)
			}
		}
	}
	slices.SortStableFunc(sets, func(a, b deviations) int { return len(a) - len(b) })
	return sets
}

var allReadings = readings()

// refused reports whether a step counts for nothing, by our rules or with deviations from them.
func (s *scene) refused(i int, with deviations) bool {
	step := &s.vector.Steps[i]
	switch {
	case s.history.Steps[i].Refused == "":
		return false
	case step.reserved():
		return !with[Reserved]
	case step.OccurredAt.After(step.At):
		return !with[Future]
	case step.unnamed():
		return !with[BlankNames]
	default:
		return true
	}
}

func (s *Action) reserved() bool {
	return strings.HasPrefix(s.Name, "bucket:") || strings.HasPrefix(s.IdempotencyKey, "bucket:")
}

// unnamed reports whether the name of an event is blank.
func (s *Action) unnamed() bool {
	return s.Op == "event" && s.Name != "" && strings.TrimSpace(s.Name) == ""
}

// dropped reports whether a step came to nothing because its key had been seen, by our rules or
// with deviations.
func (s *scene) dropped(i int, with deviations) bool {
	stored := s.vector.Steps[i].Observed.Stored
	if with[PushApart] && (s.undone(i) || s.freed(i)) {
		return s.undone(i)
	}
	return s.history.Steps[i].Duplicate || with[NothingIsLost] && stored != nil && !*stored
}

// facts returns what is known of a user after a step, by our rules or with deviations from them.
func (s *scene) facts(user string, upTo int, with deviations) *refeval.Facts {
	f := &refeval.Facts{Properties: map[string]any{}}
	now := s.vector.Steps[upTo].At
	for i := range s.vector.Steps[:upTo+1] {
		step := &s.vector.Steps[i]
		if !step.ingests() || step.subject() != user || s.refused(i, with) {
			continue
		}
		dropped := s.dropped(i, with)
		if !s.history.Steps[i].Duplicate || with[Duplicates] || with[PushApart] && s.freed(i) {
			patch(f, object(step.ContactProperties))
		}
		if dropped {
			continue
		}
		if !with[Payload] {
			patch(f, s.declared(object(step.Properties), i))
		}
		if step.Op != "event" {
			continue
		}
		occurred := step.At
		if !step.OccurredAt.IsZero() && (step.OccurredAt.Before(step.At) || with[Future]) {
			occurred = step.OccurredAt
		}
		if occurred.After(now) { // a reading that counts the future counts it from the start
			occurred = now
		}
		f.Events = append(f.Events, refeval.Event{Name: step.Name, At: occurred})
	}
	return f
}

func (s *Action) ingests() bool { return s.Op == "event" || s.Op == "contact_update" }

func patch(f *refeval.Facts, with map[string]any) {
	for key, value := range with {
		if value == nil {
			delete(f.Properties, key)
		} else {
			f.Properties[key] = value
		}
	}
}

// declared returns the members of a payload that are properties of which a definition speaks at
// that time.
func (s *scene) declared(payload map[string]any, step int) map[string]any {
	known := map[string]any{}
	for key, value := range payload {
		asks := slices.ContainsFunc(s.after[step].Definitions, func(d ir.Definition) bool {
			return d.Criteria != nil && refeval.Asks(d.Criteria, "", map[string]bool{key: true})
		})
		if asks {
			known[key] = value
		}
	}
	return known
}

// holds reports whether a criteria holds for a user at the end of a step.
func (s *scene) holds(d *ir.Definition, user string, i int, with deviations) bool {
	criteria := d.Criteria
	if with[HalfOpen] {
		criteria = closed(criteria)
	}
	return refeval.Holds(criteria, s.facts(user, i, with), s.vector.Steps[i].At)
}

// closed returns a criteria whose windows contain the instant at which they begin.
func closed(n *ir.Node) *ir.Node {
	copied := *n
	if n.Event != nil && n.Event.Window != nil {
		event := *n.Event
		event.Window = &ir.Window{Last: n.Event.Window.Last + time.Microsecond}
		copied.Event = &event
	}
	copied.Children = nil
	for _, child := range n.Children {
		copied.Children = append(copied.Children, closed(child))
	}
	return &copied
}

// known reports whether a user exists after a step.
func (s *scene) known(user string, upTo int, with deviations) bool {
	for i := range s.vector.Steps[:upTo+1] {
		if step := &s.vector.Steps[i]; step.ingests() && step.subject() == user && !s.refused(i, with) {
			return true
		}
	}
	return false
}

// deleted reports whether a user was deleted before a step.
func (s *scene) deleted(user string, before int) bool {
	for i := range s.vector.Steps[:before] {
		if step := &s.vector.Steps[i]; step.Op == "contact_delete" && step.User == user && s.known(user, i, deviations{}) {
			return true
		}
	}
	return false
}

// paused reports whether a bucket is paused after a step. The peer does not obey that.
func (s *scene) paused(bucket string, upTo int) bool {
	for i := range s.vector.Steps[:upTo+1] {
		if step := &s.vector.Steps[i]; step.Op == "admin_disable" && step.Bucket == bucket && s.history.Steps[i].Refused == "" {
			return true
		}
	}
	return false
}

func label(t ir.Tick) string { return fmt.Sprintf("%t-%s", t.Every, t.Span) }
