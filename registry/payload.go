package registry

import (
	"maps"
	"time"
)

// Payload collects the properties of an event. It is for generated code.
type Payload struct{ properties map[string]any }

// NewPayload returns a payload that holds a copy of the properties.
func NewPayload(properties map[string]any) Payload { return Payload{maps.Clone(properties)} }

// Properties returns what was collected, or nil if that is nothing.
func (p *Payload) Properties() map[string]any { return p.properties }

// Text sets the text at a path of keys. Nil sets nothing, and so it is for the other types.
func (p *Payload) Text(v *string, path ...string) {
	if v != nil {
		p.set(*v, path)
	}
}

// Number sets the number at a path of keys.
func (p *Payload) Number(v *float64, path ...string) {
	if v != nil {
		p.set(*v, path)
	}
}

// Bool sets the truth value at a path of keys.
func (p *Payload) Bool(v *bool, path ...string) {
	if v != nil {
		p.set(*v, path)
	}
}

// Time sets the instant at a path of keys.
func (p *Payload) Time(v *time.Time, path ...string) {
	if v != nil {
		p.set(instantText(*v), path)
	}
}

// List sets the list at a path of keys. An empty list is set, a nil one is not.
func (p *Payload) List(v []string, path ...string) {
	if v != nil {
		p.set(v, path)
	}
}

// set sets the value at a path of keys. What is no object on the way becomes one. Objects on the
// way are copied, since they may be the caller's.
func (p *Payload) set(v any, path []string) {
	if p.properties == nil {
		p.properties = map[string]any{}
	}
	object, last := p.properties, len(path)-1
	for _, key := range path[:last] {
		inner, _ := object[key].(map[string]any)
		inner = maps.Clone(inner)
		if inner == nil {
			inner = map[string]any{}
		}
		object[key] = inner
		object = inner
	}
	object[path[last]] = v
}

// instantText writes an instant as ingests carry it.
func instantText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
