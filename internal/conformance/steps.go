package conformance

import (
	"encoding/json"
	"strings"

	"github.com/bucketgen/bucketgen/internal/refeval"
)

// play returns the steps as the reference knows them, one for each.
//
// A redefine is a deploy, at once and for everybody, so that there is nothing left for a backfill
// to do.
func (v *Vector) play(r *registered) []refeval.Action {
	steps := make([]refeval.Action, len(v.Steps))
	for i := range v.Steps {
		steps[i] = v.Steps[i].play()
		if steps[i].Op == refeval.Deploy {
			steps[i].Definitions, steps[i].Emit = r.after[i], refeval.Leaves
		}
	}
	return steps
}

func (s *Action) play() refeval.Action {
	step := refeval.Action{At: s.At, User: s.User}
	switch s.Op {
	case "event":
		step.Op, step.Name, step.OccurredAt, step.Key = refeval.Ingest, s.Name, s.OccurredAt, s.IdempotencyKey
		step.Properties, step.Traits = s.Properties, s.traits()
		step.Anonymous, step.Email = s.AnonymousID, s.Email
	case "contact_update":
		step.Op, step.Traits = refeval.Ingest, s.ContactProperties
	case "contact_delete":
		step.Op = refeval.Delete
	case "reconcile":
		step.Op = refeval.Settle
	case "fire_timers":
		step.Op = refeval.Fire
	case "redefine":
		step.Op = refeval.Deploy
	case "admin_disable":
		step.Op, step.Bucket = refeval.Pause, s.Bucket
	default:
		step.Op = refeval.Nothing
	}
	return step
}

// traits returns the contact's properties that come with an event. The email is one of ours.
func (s *Action) traits() []byte {
	if s.Email == "" {
		return s.ContactProperties
	}
	traits := map[string]json.RawMessage{}
	if given(s.ContactProperties) && json.Unmarshal(s.ContactProperties, &traits) != nil {
		return s.ContactProperties
	}
	if _, given := traits["email"]; !given {
		email, err := json.Marshal(s.Email)
		if err != nil {
			return s.ContactProperties
		}
		traits["email"] = email
	}
	merged, err := json.Marshal(traits)
	if err != nil {
		return s.ContactProperties
	}
	return merged
}

// blank reports whether a step of a user names none.
func (s *Action) blank() bool { return strings.TrimSpace(s.User) == "" }

// carried returns the keys of the properties that a step brings.
func (s *Action) carried() map[string]bool {
	keys := map[string]bool{}
	for _, raw := range []json.RawMessage{s.Properties, s.ContactProperties} {
		for key := range object(raw) {
			keys[key] = true
		}
	}
	return keys
}

func object(raw json.RawMessage) map[string]any {
	var members map[string]any
	if len(raw) > 0 && json.Unmarshal(raw, &members) != nil {
		return nil
	}
	return members
}
