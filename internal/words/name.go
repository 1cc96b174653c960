package words

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/registry/table"
)

// Ambiguous names are quoted: in names of properties a dot leads to a value inside.
var (
	plainEvent = regexp.MustCompile(`^[\pL_][\pL\pN_.-]*$`)
	plainKey   = regexp.MustCompile(`^[\pL_][\pL\pN_-]*$`)
)

func quoted(name string, plain *regexp.Regexp) string {
	if plain.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

func path(name string, keys []string) string {
	parts := []string{quoted(name, plainKey)}
	for _, key := range keys {
		parts = append(parts, quoted(key, plainKey))
	}
	return strings.Join(parts, ".")
}

// property names a property of the user.
func (s speaker) property(p table.PropertyIndex) string {
	row := &s.registry.Properties[p]
	if row.TraitsOnly {
		return path(row.Name, row.Path) + " (traits only)"
	}
	return path(row.Name, row.Path)
}

// field names a property of the payload of an event.
func (s speaker) field(p table.PropertyIndex) string {
	row := &s.registry.Fields[p]
	return path(row.Name, row.Path)
}

// group names the field whose values distinguish occurrences; instants are compared as instants.
func (s speaker) group(p table.PropertyIndex) string {
	if s.registry.Fields[p].Type == table.Time {
		return s.field(p) + " as a time"
	}
	return s.field(p)
}

func (s speaker) event(e table.EventIndex) string {
	return quoted(s.registry.Events[e].Name, plainEvent)
}

// occurrences names the occurrences of an event that a signal is about.
func (s speaker) occurrences(signal table.SignalIndex) string {
	row := &s.registry.Signals[signal]
	if len(row.Filter) == 0 {
		return s.event(row.Event)
	}
	return s.event(row.Event) + " (" + s.expression(row.Filter, s.field) + ")"
}

// Property names a property of users, as criteria do.
func Property(r *table.Registry, p table.PropertyIndex) string { return speaker{r}.property(p) }
