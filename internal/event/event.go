// Package event checks input from outside. Every event that passes can be stored and decided on.
package event

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry/table"
)

const (
	maxID      = 255
	maxName    = 200
	maxKey     = 255
	reserved   = "bucket:"    // begins the names and keys of transitions
	reservedOf = "bucket-of:" // begins the keys of transitions of contacts without a user id
)

// Limits bound an event.
type Limits struct {
	Payload int           // bytes of the properties and of the traits
	User    decide.Limits // of the user's properties after the event
	Skew    time.Duration // by which it may have occurred later than now
	End     time.Time     // latest time of an event; zero: none
	IDs     IDRules
}

// WithDefaults returns the limits with the defaults of engine.Config in place of zeros.
func (l Limits) WithDefaults() Limits {
	l.Payload = cmp.Or(l.Payload, 32<<10)
	l.User.Properties = cmp.Or(l.User.Properties, 1000)
	l.User.Bytes = cmp.Or(l.User.Bytes, 64<<10)
	l.User.AnonymousAge = cmp.Or(l.User.AnonymousAge, 30*24*time.Hour)
	l.Skew = cmp.Or(l.Skew, 5*time.Minute)
	return l
}

// Validate turns an event, but for its ids, into the input of decide. An [*bucketgen.InvalidError]
// says which field is wrong.
func Validate(r *table.Registry, ev *bucketgen.Event, now time.Time, l Limits) (decide.Event, error) {
	out := decide.Event{Kind: decide.Track, Name: ev.Name, Event: table.NoEvent, Key: ev.Key, OccurredAt: table.Unset}
	switch {
	case ev.Name == "" && ev.Traits == nil && ev.TraitsJSON == nil && ev.TraitsOnce == nil && ev.TraitsOnceJSON == nil:
		return out, invalid("name", "is empty, and there are no traits either")
	case ev.Name != "" && strings.TrimSpace(ev.Name) == "":
		return out, invalid("name", "has nothing but blanks; write the name of the event")
	case strings.HasPrefix(ev.Name, reserved):
		return out, invalid("name", `begins "bucket:", which is for transitions`)
	case strings.HasPrefix(ev.Key, reserved):
		return out, invalid("key", `begins "bucket:", which is for transitions`)
	case strings.HasPrefix(ev.Key, reservedOf):
		return out, invalid("key", `begins "bucket-of:", which is for transitions`)
	case ev.Properties != nil && ev.PropertiesJSON != nil:
		return out, invalid("properties", "are given as a map and as JSON")
	case ev.Traits != nil && ev.TraitsJSON != nil:
		return out, invalid("traits", "are given as a map and as JSON")
	case ev.TraitsOnce != nil && ev.TraitsOnceJSON != nil:
		return out, invalid("traits_once", "are given as a map and as JSON")
	}
	if err := cmp.Or(text("name", ev.Name, maxName), text("key", ev.Key, maxKey)); err != nil {
		return out, err
	}
	switch {
	case ev.Name == "":
		out.Kind = decide.Identify
	case ev.TraitsOnly:
		out.Kind = decide.Observe
	}
	if out.Kind.Named() {
		out.Event = r.Event(ev.Name)
	}
	if err := occurredAt(&out, ev.OccurredAt, now, l); err != nil {
		return out, err
	}
	var err error
	asked := payload.Asked{Registry: r, Event: out.Event} // the rest goes into the log as it is
	if out.Properties, err = object("properties", ev.Properties, ev.PropertiesJSON, l.Payload, asked); err != nil {
		return out, err
	}
	if ev.TraitsOnly && ev.Name == "" { // without an event, there is nothing to keep them with
		out.Properties = payload.Object{}
	}
	if out.Traits, err = object("traits", ev.Traits, ev.TraitsJSON, l.Payload, payload.All); err != nil {
		return out, err
	}
	if out.Once, err = object("traits_once", ev.TraitsOnce, ev.TraitsOnceJSON, l.Payload, payload.All); err != nil {
		return out, err
	}
	return out, Refused(l.User.Alone(out, r))
}

// Refused returns the refusal of an event as an error, or nil if there is none.
func Refused(r *decide.Refusal) error {
	if r == nil {
		return nil
	}
	return invalid(r.Field, r.Problem)
}

func object(name string, m map[string]any, raw []byte, most int, asked payload.Asked) (payload.Object, error) {
	var o payload.Object
	var err error
	if m != nil {
		o, err = payload.FromMap(name, m, most, asked)
	} else {
		o, err = payload.Parse(name, raw, most, asked)
	}
	if refused, ok := errors.AsType[*payload.Error](err); ok {
		return o, invalid(refused.Path, refused.Text)
	}
	return o, err
}

// EraseOptions completes options of an erasure, or says which field is wrong.
func EraseOptions(o *bucketgen.EraseOptions) error {
	if o.Kind == "" {
		o.Kind = "user"
	}
	for _, f := range []struct{ name, value string }{{"kind", o.Kind}, {"by", o.By}, {"ticket", o.Ticket}} {
		if err := text(f.name, f.value, maxID); err != nil {
			return err
		}
	}
	return nil
}

// The most that a job erases.
const (
	maxErased    = 5000
	maxEraseRate = 1000
	eraseRate    = 50
)

// BulkErasure completes options of a job that erases, and returns the names of the ids, or says
// which field is wrong.
func BulkErasure(ids []string, o *bucketgen.BulkOptions) ([]string, error) {
	switch {
	case len(ids) == 0 || len(ids) > maxErased:
		return nil, invalid("ids", fmt.Sprintf("has %d ids; give 1 to %d, and more by further jobs", len(ids), maxErased))
	case o.Rate < 0 || o.Rate > maxEraseRate:
		return nil, invalid("rate", fmt.Sprintf("is %d; it must be 1 to %d, or zero for %d", o.Rate, maxEraseRate, eraseRate))
	case o.Rate == 0:
		o.Rate = eraseRate
	}
	if err := EraseOptions(&o.EraseOptions); err != nil {
		return nil, err
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = Clean(o.Kind, id)
		if err := UserID(names[i]); err != nil {
			return nil, invalid(fmt.Sprintf("ids[%d]", i), "is empty, longer than 255 bytes or not valid UTF-8")
		}
	}
	return names, nil
}

func invalid(field, problem string) error {
	return &bucketgen.InvalidError{Field: field, Problem: problem}
}

func text(field, s string, most int) error {
	switch {
	case len(s) > most:
		return invalid(field, fmt.Sprintf("is %d bytes, more than the %d that are allowed", len(s), most))
	case !utf8.ValidString(s):
		return invalid(field, "is not valid UTF-8")
	case strings.ContainsRune(s, 0):
		return invalid(field, "contains U+0000, which PostgreSQL cannot store")
	}
	return nil
}

// occurredAt takes the zero time as none, like Go. Readers of text refuse that instant as a time.
func occurredAt(out *decide.Event, t, now time.Time, l Limits) error {
	const first, last = 1, 9999 // years that RFC 3339 can write and PostgreSQL can store
	switch {
	case t.IsZero():
		return nil
	case t.After(now.Add(l.Skew)):
		return invalid("occurred_at", fmt.Sprintf("%s is in the future", t.UTC().Format(time.RFC3339)))
	case !l.End.IsZero() && t.After(l.End):
		return invalid("occurred_at", fmt.Sprintf("%s is after the end, %s", t.UTC().Format(time.RFC3339Nano), l.End.UTC().Format(time.RFC3339Nano)))
	case t.UTC().Year() < first || t.UTC().Year() > last:
		return invalid("occurred_at", fmt.Sprintf("is in the year %d; write a year from %d to %d", t.UTC().Year(), first, last))
	}
	out.OccurredAt = table.At(t)
	return nil
}
