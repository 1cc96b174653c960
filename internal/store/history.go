package store

import (
	"encoding/json"
	"slices"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// history reports whether some criteria asks for the last change of a property, so that those are to be read.
func history(r *registry.Registry) bool {
	return slices.ContainsFunc(r.Properties, func(p registry.PropertyRow) bool { return p.History })
}

// setChanges adds to facts the last changes of properties, as [propertyChanges] wrote them.
func setChanges(facts *registry.Facts, r *registry.Registry, raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	changes, err := payload.Stored(raw)
	if err != nil {
		return err
	}
	for _, field := range changes.Fields {
		p, declared := r.Property(field.Key)
		if !declared || !r.Properties[p].History {
			continue
		}
		var change struct {
			Was json.RawMessage `json:"was"`
			At  int64           `json:"at"`
		}
		if err := json.Unmarshal(field.Raw, &change); err != nil {
			return err
		}
		was, err := payload.StoredValue(change.Was)
		if err != nil {
			return err
		}
		facts.SetChange(registry.Change{Property: p, Was: was, At: registry.Instant(change.At)})
	}
	return nil
}
