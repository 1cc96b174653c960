package server

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/event"
	"github.com/bucketgen/bucketgen/internal/sheet"
)

// The columns that have a meaning of their own.
const (
	userColumn    = "userId"
	eventColumn   = "event"
	timeColumn    = "timestamp"
	messageColumn = "messageId"
	idColumn      = "membershipId" // only in what export wrote
)

// contactOf reads lines as contacts.
func (c *cli) contactOf(s *sheet.Sheet) (reading, error) {
	if len(s.Columns) < 2 {
		return nil, errors.New("there is no column besides userId; add a column for each trait")
	}
	traits := func(column string) (string, sheet.Type) {
		if column == userColumn {
			return "", sheet.Unsaid
		}
		return column, c.traitType(column)
	}
	return func(_ *sheet.Sheet, row *sheet.Row) (engine.Event, error) {
		ev := engine.Event{UserID: row.Cell(userColumn)}
		object, err := row.Object(traits)
		if err == nil {
			err = isUser(ev.UserID)
		}
		if err != nil {
			return ev, err
		}
		if ev.TraitsJSON = object; object == nil {
			ev.TraitsJSON = []byte("{}")
		}
		return ev, nil
	}, nil
}

// traitType returns the type of a trait: that of the property which the buckets declare, or text.
func (c *cli) traitType(name string) sheet.Type {
	p, declared := c.host.Registry.Tables().Property(name)
	if !declared {
		return sheet.Text
	}
	return sheet.TypeOf(c.host.Registry.Tables().Properties[p].Type)
}

// eventOf reads lines as events.
func (c *cli) eventOf(s *sheet.Sheet) (reading, error) {
	for _, needed := range []string{eventColumn, timeColumn} {
		if !s.Has(needed) {
			return nil, fmt.Errorf("there is no column %s", needed)
		}
	}
	return func(_ *sheet.Sheet, row *sheet.Row) (engine.Event, error) {
		ev := engine.Event{UserID: row.Cell(userColumn), Name: row.Cell(eventColumn), Key: row.Cell(messageColumn), TraitsOnly: true}
		if err := isUser(ev.UserID); err != nil {
			return ev, err
		}
		at, err := time.Parse(time.RFC3339Nano, row.Cell(timeColumn))
		if err != nil {
			return ev, &sheet.LineError{Line: row.Line, Column: timeColumn, Problem: fmt.Sprintf("%q is not a time; write it like 2026-11-23T09:30:00Z", row.Cell(timeColumn))}
		}
		if at.IsZero() { // which stands for now in an event
			return ev, &sheet.LineError{Line: row.Line, Column: timeColumn, Problem: "is the zero time, 0001-01-01T00:00:00Z; write the time at which the event occurred"}
		}
		ev.OccurredAt = at
		ev.PropertiesJSON, err = row.Object(func(column string) (string, sheet.Type) {
			switch column {
			case userColumn, eventColumn, timeColumn, messageColumn:
				return "", sheet.Unsaid
			}
			return strings.TrimPrefix(column, "properties."), c.fieldType(ev.Name, strings.TrimPrefix(column, "properties."))
		})
		return ev, err
	}, nil
}

// isUser refuses an id that programs send in place of one, as the HTTP API does.
func isUser(id string) error {
	if event.IsPlaceholder(id) {
		return &engine.InvalidError{Field: "user_id", Problem: event.Placeholder(id)}
	}
	return nil
}

// fieldType returns the type of a property of an event, which the buckets may declare, or text.
func (c *cli) fieldType(event, name string) sheet.Type {
	r := c.host.Registry
	for i := range r.Tables().Fields {
		if f := &r.Tables().Fields[i]; f.Name == name && len(f.Path) == 0 && f.Event == r.Tables().Event(event) {
			return sheet.TypeOf(f.Type)
		}
	}
	return sheet.Text
}
