package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/registry"
)

// registerProperties gives the declared properties numbers, where they have none yet.
func (s *Store) registerProperties(ctx context.Context, conn Conn) error {
	names := make([]string, 0, len(s.registry.Properties))
	s.properties = make([]int32, len(s.registry.Properties))
	s.propertyOf = map[int32]registry.Property{}
	for i := range s.registry.Properties {
		if row := &s.registry.Properties[i]; len(row.Path) == 0 {
			names = append(names, row.Name)
		}
	}
	rows, err := s.Queries(conn).PropertiesRegister(ctx, names)
	if err != nil {
		return fmt.Errorf("register the properties: %w", err)
	}
	for _, row := range rows {
		p, _ := s.registry.Property(row.Name)
		s.properties[p], s.propertyOf[row.No] = row.No, p
		if s.registry.Properties[p].History {
			s.history = append(s.history, row.No)
		}
	}
	return nil
}

// queueChanges asks for the last changes of those properties of which some criteria asks for them, if there are any.
func (f *Facts) queueChanges(q *queue, users []string, ids, versions []int64) {
	if len(f.store.history) == 0 {
		return
	}
	q.add(db.ChangesOf, users, ids, versions, f.store.history).Query(tryEach(func(row db.ChangesOfRow) error {
		change := registry.Change{Property: f.store.propertyOf[row.PropertyNo], At: instant(row.ChangedAt)}
		if row.Was != nil {
			was, err := payload.StoredValue(row.Was)
			if err != nil {
				return fmt.Errorf("read the changes of user %q: %w", row.UserID, err)
			}
			change.Was = was
		}
		u := f.users[row.UserID]
		u.changes = append(u.changes, change)
		return nil
	}))
}

// addChanges adds the last changes of declared properties.
func (w *Write) addChanges(s *Store, contact int64, changes map[string]decide.PropertyChange) {
	for key, c := range changes {
		p, _ := s.registry.Property(key)
		w.changes.ContactIds = append(w.changes.ContactIds, contact)
		w.changes.PropertyNos = append(w.changes.PropertyNos, s.properties[p])
		w.changes.Was = append(w.changes.Was, string(c.Was))
		w.changes.ChangedAt = append(w.changes.ChangedAt, timestamp(c.At))
		wasAt := timestamp(c.WasAt)
		switch {
		case c.Follows: // the statement knows the date
			wasAt = pgtype.Timestamptz{}
		case c.WasAt == registry.Unset:
			wasAt = pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
		}
		w.changes.WasAt = append(w.changes.WasAt, wasAt)
	}
}

// userProperty is a property of a user.
type userProperty struct {
	user     string
	property registry.Property
}

// queueDated asks for the last changes of certain properties, with all that is known of their dates.
func (f *Facts) queueDated(q *queue, properties []userProperty) {
	if len(properties) == 0 {
		return
	}
	users, contacts, nos := make([]string, len(properties)), make([]int64, len(properties)), make([]int32, len(properties))
	for i, p := range properties {
		users[i], contacts[i], nos[i] = p.user, f.contactOf(p.user), f.store.properties[p.property]
	}
	q.add(db.ChangesDated, users, contacts, nos).Query(func(rows pgx.Rows) error {
		for _, p := range properties { // of those that are not among the rows, no change is known
			u := f.users[p.user]
			if u.dated == nil {
				u.dated = map[string]decide.PropertyChange{}
			}
			u.dated[f.store.registry.Properties[p.property].Name] = decide.PropertyChange{Was: []byte("null"), WasAt: registry.Unset, At: registry.Unset}
		}
		return each(func(row db.ChangesDatedRow) {
			change := decide.PropertyChange{Was: row.Was, WasAt: instant(row.WasAt), At: instant(row.ChangedAt)}
			if change.Was == nil {
				change.Was = []byte("null")
			}
			f.users[row.UserID].dated[f.store.registry.Properties[f.store.propertyOf[row.PropertyNo]].Name] = change
		})(rows)
	})
}

// written returns an instant that is not before the newest date of a value of a declared property.
func written(row *db.ContactsLockKnownRow) registry.Instant {
	if !row.WrittenAt.Valid { // the contact is older than that column
		return instant(row.UpdatedAt)
	}
	return instant(row.WrittenAt)
}

// repeats reads when declared properties were sent again. Those that no definition of this process declares are left out.
func (s *Store) repeats(raw []byte) ([]decide.Repeat, error) {
	if raw == nil {
		return nil, nil
	}
	var all map[int32]int64
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	repeats := make([]decide.Repeat, 0, len(all))
	for no, at := range all {
		if p, declared := s.propertyOf[no]; declared {
			repeats = append(repeats, decide.Repeat{Property: s.registry.Properties[p].Name, At: registry.Instant(at)})
		}
	}
	return repeats, nil
}

// repeatsText writes when declared properties were sent again, as the statement wants it: with null for what is forgotten.
func (s *Store) repeatsText(repeats map[string]registry.Instant) string {
	if len(repeats) == 0 {
		return ""
	}
	text := []byte{'{'}
	for key, at := range repeats {
		if len(text) > 1 {
			text = append(text, ',')
		}
		p, _ := s.registry.Property(key)
		text = append(strconv.AppendInt(append(text, '"'), int64(s.properties[p]), 10), '"', ':')
		if at == registry.Unset {
			text = append(text, "null"...)
		} else {
			text = strconv.AppendInt(text, int64(at), 10)
		}
	}
	return string(append(text, '}'))
}
