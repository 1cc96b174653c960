package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Limits limits the properties of a user, and how long an anonymous contact stays. The zero value
// is no limit.
type Limits struct {
	Properties int // number of properties; 0: no limit
	Bytes      int // size of their names and values together; 0: no limit

	AnonymousAge time.Duration // how long an anonymous contact stays after its last event; 0: no limit
}

// Refusal says which field of an event was refused, and why. Nothing was done.
type Refusal struct {
	Field   string
	Problem string
}

// refusal returns why the limits refuse an event, or nil. A deleted user gets no properties.
func (s *Session) refusal(e *Event) *Refusal {
	if s.state.Contact.Deleted {
		return nil
	}
	return s.limits.refuse(e, s.registry, &s.state.Contact.Properties)
}

// Alone returns why an event is refused that gives even a user without properties more than the
// limits allow, or nil. So the first event of a user is refused before the user is created.
func (l Limits) Alone(e Event, r *table.Registry) *Refusal {
	var none payload.Properties
	e.fill(&none)
	return l.refuse(&e, r, &none)
}

// refuse returns why an event is refused that would give a user with the properties p more than the
// limits allow, or nil. A user who is over the limits can still change and remove properties.
func (l Limits) refuse(e *Event, r *table.Registry, p *payload.Properties) *Refusal {
	if l == (Limits{}) || len(e.Traits.Fields)+len(e.Properties.Fields) == 0 {
		return nil
	}
	count, bytes := p.Bound()
	carried := len(e.Traits.Fields) + len(e.Properties.Fields)
	if fits(count+carried, l.Properties) && fits(bytes+len(e.Traits.Raw)+len(e.Properties.Raw)+carried*4, l.Bytes) {
		return nil
	}
	had, size := p.Size()
	count, bytes = had, size
	field := "traits"
	add := func(f payload.Field) {
		if was := p.Get(f.Key); was.Value.Exists() {
			count, bytes = count-1, bytes-was.Size()
		}
		if f.Value.Exists() {
			count, bytes = count+1, bytes+f.Size()
		}
	}
	later := map[string]bool{} // keys set by the payload, which comes after traits
	for _, f := range e.Properties.Fields {
		if _, declared := e.Sets(r, f.Key); declared {
			later[f.Key] = true
			add(f)
		}
	}
	if count > had && len(e.Traits.Fields) == 0 {
		field = "properties"
	}
	for _, f := range e.Traits.Fields {
		if !later[f.Key] {
			add(f)
		}
	}
	switch {
	case !fits(count, l.Properties) && count > had:
		return &Refusal{field, fmt.Sprintf("would give the user %d properties, more than the %d that are allowed; "+
			"set some to null, or send what varies as properties of events", count, l.Properties)}
	case !fits(bytes, l.Bytes) && bytes > size:
		return &Refusal{field, fmt.Sprintf("would give the user %d bytes of properties, more than the %d that are allowed; "+
			"set some to null, or shorten them", bytes, l.Bytes)}
	}
	return nil
}

func fits(n, most int) bool { return most == 0 || n <= most }

// Exceeds returns why a user may not take over the properties of another, and whether that is so.
func (l Limits) Exceeds(own, other payload.Properties) (problem string, exceeds bool) {
	had, size := own.Size()
	count, bytes := had, size
	for _, f := range other.Fields() {
		if !own.Get(f.Key).Value.Exists() {
			count, bytes = count+1, bytes+f.Size()
		}
	}
	switch {
	case !fits(count, l.Properties) && count > had:
		return fmt.Sprintf("has properties that would give the other user %d of them, more than the %d that are allowed; "+
			"set some to null before", count, l.Properties), true
	case !fits(bytes, l.Bytes) && bytes > size:
		return fmt.Sprintf("has properties that would give the other user %d bytes of them, more than the %d that are allowed; "+
			"set some to null before", bytes, l.Bytes), true
	}
	return "", false
}

// keys is a set of keys in the order in which they were added.
type keys struct {
	all []string
	set map[string]struct{} // nil while there are few
}

func (k *keys) add(key string) {
	if k.has(key) {
		return
	}
	const few = 16
	switch {
	case k.set != nil:
		k.set[key] = struct{}{}
	case len(k.all) == few:
		k.set = make(map[string]struct{}, 2*few)
		for _, other := range k.all {
			k.set[other] = struct{}{}
		}
		k.set[key] = struct{}{}
	}
	k.all = append(k.all, key)
}

func (k *keys) has(key string) bool {
	if k.set != nil {
		_, known := k.set[key]
		return known
	}
	return slices.Contains(k.all, key)
}
