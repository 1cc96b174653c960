package store

import (
	"context"
	"fmt"

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

func (w *Write) addChanges(s *Store, contact int64, changes map[string]decide.PropertyChange) {
	for key, c := range changes {
		p, _ := s.registry.Property(key)
		w.changes.ContactIds = append(w.changes.ContactIds, contact)
		w.changes.PropertyNos = append(w.changes.PropertyNos, s.properties[p])
		w.changes.Was = append(w.changes.Was, string(c.Was))
		w.changes.ChangedAt = append(w.changes.ChangedAt, timestamp(c.At))
	}
}
