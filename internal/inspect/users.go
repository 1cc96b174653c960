package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/registry/table"
)

// Search returns users who are known by something that begins with a text.
func (r *Reader) Search(ctx context.Context, text string, size int) ([]bucketgen.FoundUser, error) {
	const beyond = "\U0010FFFF" // beyond follows every text that goes on
	rows, err := r.queries().ContactsSearch(ctx, db.ContactsSearchParams{FromText: text, ToText: text + beyond, Size: int32(limit(size))})
	if err != nil {
		return nil, fmt.Errorf("search users: %w", err)
	}
	found := make([]bucketgen.FoundUser, len(rows))
	for i, row := range rows {
		found[i] = bucketgen.FoundUser{CreatedAt: row.CreatedAt.Time.UTC(), Deleted: row.DeletedAt.Valid}
		found[i].UserID, found[i].AnonymousID, found[i].IDs = resolve.Split(row.UserID)
		if !row.DeletedAt.Valid {
			found[i].UserEmail, found[i].Name = deref(row.Email), deref(row.ShownName)
		}
	}
	return found, nil
}

// change is the last change of a declared property.
type change struct {
	Was json.RawMessage `json:"was"`
	At  time.Time       `json:"at"`
}

// User returns what is known of a user.
func (r *Reader) User(ctx context.Context, user string) (bucketgen.User, error) {
	row, err := r.queries().ContactsShow(ctx, user)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return bucketgen.User{}, bucketgen.ErrUnknownUser
	case err != nil:
		return bucketgen.User{}, fmt.Errorf("read the user: %w", err)
	}
	u := bucketgen.User{
		CreatedAt: row.CreatedAt.Time.UTC(), UpdatedAt: row.UpdatedAt.Time.UTC(), Merged: texts(row.Merged), AnonymousIDs: row.Anonymous,
		Traits: []bucketgen.Property{},
	}
	u.UserID, u.AnonymousID, u.IDs = resolve.Split(row.UserID)
	if row.DeletedAt.Valid {
		u.DeletedAt = row.DeletedAt.Time.UTC()
		return u, nil
	}
	u.UserEmail = deref(row.Email)
	properties, changes := map[string]json.RawMessage{}, map[string]change{}
	if err := errors.Join(json.Unmarshal(row.Properties, &properties), json.Unmarshal(row.Changes, &changes)); err != nil {
		return bucketgen.User{}, fmt.Errorf("read the properties: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		u.Traits = append(u.Traits, r.property(name, properties[name], changes))
	}
	return u, nil
}

// texts returns names as texts.
func texts(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = resolve.Text(name)
	}
	return all
}

func (r *Reader) property(name string, value json.RawMessage, changes map[string]change) bucketgen.Property {
	p := bucketgen.Property{Name: name, Value: value}
	if place, declared := r.Registry.Property(name); declared {
		p.Declared = true
		if kind := r.Registry.Properties[place].Type; kind != table.Missing {
			p.Type = kind.String()
		}
	}
	if c, known := changes[name]; known {
		p.ChangedAt = c.At.UTC()
		if string(c.Was) != "null" {
			p.Was = c.Was
		}
	}
	return p
}

// Events returns a page of what a user did, the newest first: all events, or those of a name.
func (r *Reader) Events(ctx context.Context, user, name string, after *bucketgen.TimeKey, size int) (bucketgen.EventPage, error) {
	size = limit(size)
	p := db.EventsOfUserParams{UserID: user, Name: name, Size: int32(size + 1), BeforeAt: latest(time.Time{})}
	if after != nil {
		p.BeforeAt, p.BeforeID = latest(after.At), after.ID
	}
	rows, err := r.queries().EventsOfUser(ctx, p)
	if err == nil && len(rows) == 0 {
		err = r.mustKnow(ctx, user)
	}
	if err != nil {
		return bucketgen.EventPage{}, fmt.Errorf("read events: %w", err)
	}
	rows, more := cut(rows, size)
	page := bucketgen.EventPage{Events: make([]bucketgen.LoggedEvent, len(rows))}
	for i := range rows {
		page.Events[i] = logged(&rows[i])
	}
	if more {
		last := rows[size-1]
		page.Next = &bucketgen.TimeKey{At: last.OccurredAt.Time.UTC(), ID: last.ID}
	}
	return page, nil
}

func logged(row *db.EventsOfUserRow) bucketgen.LoggedEvent {
	return bucketgen.LoggedEvent{
		Name: deref(row.Name), OccurredAt: row.OccurredAt.Time.UTC(), ReceivedAt: row.ReceivedAt.Time.UTC(), Properties: row.Properties, Traits: row.Traits,
	}
}

// mustKnow returns an error if a user is unknown or deleted.
func (r *Reader) mustKnow(ctx context.Context, user string) error {
	switch deleted, err := r.queries().ContactsDeleted(ctx, user); {
	case errors.Is(err, pgx.ErrNoRows):
		return bucketgen.ErrUnknownUser
	case err != nil:
		return fmt.Errorf("read the user: %w", err)
	case deleted:
		return bucketgen.ErrDeleted
	}
	return nil
}

// placed is an item of activity with its place.
type placed struct {
	bucketgen.Activity

	id int64
}

// Activity returns a page of what a user did and what happened to them, the newest first.
func (r *Reader) Activity(ctx context.Context, user string, after *bucketgen.ActivityKey, size int) (bucketgen.ActivityPage, error) {
	size = limit(size)
	events := db.EventsOfUserParams{UserID: user, Size: int32(size + 1), BeforeAt: latest(time.Time{})}
	transitions := allOf(user, size+1)
	transitions.ByTime, transitions.Newest = true, true
	if after != nil {
		at := latest(after.At)
		events.BeforeAt, events.BeforeID, transitions.BeforeAt, transitions.BeforeAtID = at, after.ID, at, after.ID
		if after.Transition {
			events.BeforeID = maxID
		} else {
			transitions.BeforeAtID = 0
		}
	}
	did, err := r.queries().EventsOfUser(ctx, events)
	if err != nil {
		return bucketgen.ActivityPage{}, fmt.Errorf("read events: %w", err)
	}
	happened, err := r.queries().TransitionsOfUser(ctx, transitions)
	if err == nil && len(did)+len(happened) == 0 {
		err = r.mustKnow(ctx, user)
	}
	if err != nil {
		return bucketgen.ActivityPage{}, fmt.Errorf("read the log: %w", err)
	}
	all, more := cut(merged(did, happened), size)
	page := bucketgen.ActivityPage{Activity: make([]bucketgen.Activity, len(all))}
	for i := range all {
		page.Activity[i] = all[i].Activity
	}
	if more {
		last := all[size-1]
		page.Next = &bucketgen.ActivityKey{At: last.At, ID: last.id, Transition: last.Transition != nil}
	}
	return page, nil
}

// merged puts events and transitions in one order, the newest first. Of one instant, transitions,
// which follow from events, come first.
func merged(did []db.EventsOfUserRow, happened []db.TransitionsOfUserRow) []placed {
	var all []placed
	for i := range happened {
		t := recorded(&happened[i])
		all = append(all, placed{bucketgen.Activity{At: t.At, Transition: &t}, happened[i].BucketgenTransition.ID})
	}
	for i := range did {
		e := logged(&did[i])
		all = append(all, placed{bucketgen.Activity{At: e.OccurredAt, Event: &e}, did[i].ID})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return b.At.Compare(a.At) })
	return all
}
