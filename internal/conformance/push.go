package conformance

import "strings"

// failing returns with what the names begin whose pushes fail, or nothing.
func (s *scene) failing(upTo int) string {
	prefix := ""
	for i := range s.vector.Steps[:upTo] {
		if step := &s.vector.Steps[i]; step.Op == "fail_pushes" {
			prefix = step.Prefix
		}
	}
	return prefix
}

// pushFailed reports whether the peer failed an ingest because the push of its event failed. The
// peer has patched the contact by then, evaluates nothing, and forgets the event if it has a key.
func (s *scene) pushFailed(i int) bool {
	step, prefix := &s.vector.Steps[i], s.failing(i)
	return step.Op == "event" && step.Observed.Error != "" && s.history.Steps[i].Refused == "" && prefix != "" && strings.HasPrefix(step.Name, prefix)
}

// undone reports whether the peer has forgotten the event of a step.
func (s *scene) undone(i int) bool { return s.pushFailed(i) && s.vector.Steps[i].IdempotencyKey != "" }

// freed reports whether the key of a step was free for the peer because it had undone the event
// that used it.
func (s *scene) freed(i int) bool {
	step := &s.vector.Steps[i]
	if step.IdempotencyKey == "" || step.Observed.Stored == nil || !*step.Observed.Stored {
		return false
	}
	for before := range i {
		if other := &s.vector.Steps[before]; other.IdempotencyKey == step.IdempotencyKey && other.subject() == step.subject() && s.undone(before) {
			return true
		}
	}
	return false
}
