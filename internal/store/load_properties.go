package store

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/payload"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/registry/table"
)

// queueChanges reads the last changes of the properties whose history criteria ask for, if there
// are any.
func (ld *Loaded) queueChanges(q *pipeline.Batch, users []string, ids, versions []int64) {
	if len(ld.store.history) == 0 {
		return
	}
	q.Add(db.ChangesOf, users, ids, versions, ld.store.history).Query(pipeline.TryEach(func(row db.ChangesOfRow) error {
		change := table.LastChange{Property: ld.store.propertyOf[row.PropertyNo], At: instant(row.ChangedAt)}
		if row.Was != nil {
			was, err := payload.StoredValue(row.Was)
			if err != nil {
				return fmt.Errorf("read the changes of user %q: %w", row.UserID, err)
			}
			change.Was = was
		}
		u := ld.users[row.UserID]
		u.changes = append(u.changes, change)
		return nil
	}))
}

// queueDated reads the last changes of certain properties with all their dates.
func (ld *Loaded) queueDated(q *pipeline.Batch, properties []userProperty) {
	if len(properties) == 0 {
		return
	}
	users, contacts, nos := make([]string, len(properties)), make([]int64, len(properties)), make([]int32, len(properties))
	for i, p := range properties {
		users[i], contacts[i], nos[i] = p.user, ld.contactOf(p.user), ld.store.properties[p.property]
	}
	q.Add(db.ChangesDated, users, contacts, nos).Query(func(rows pgx.Rows) error {
		for _, p := range properties { // a property without a row has not changed
			u := ld.users[p.user]
			if u.dated == nil {
				u.dated = map[string]decide.PropertyChange{}
			}
			u.dated[ld.store.registry.Properties[p.property].Name] = decide.PropertyChange{Was: []byte("null"), WasAt: table.Unset, At: table.Unset}
		}
		return pipeline.Each(func(row db.ChangesDatedRow) {
			change := decide.PropertyChange{Was: row.Was, WasAt: instant(row.WasAt), At: instant(row.ChangedAt)}
			if change.Was == nil {
				change.Was = []byte("null")
			}
			ld.users[row.UserID].dated[ld.store.registry.Properties[ld.store.propertyOf[row.PropertyNo]].Name] = change
		})(rows)
	})
}

// written returns an instant that is not before the newest date of a declared property's value.
func written(row *db.ContactsLockKnownRow) table.Instant {
	if !row.WrittenAt.Valid { // the contact is older than the column
		return instant(row.UpdatedAt)
	}
	return instant(row.WrittenAt)
}

// repeats parses when declared properties were sent again. It leaves out those that the registry
// does not declare.
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
			repeats = append(repeats, decide.Repeat{Property: s.registry.Properties[p].Name, At: table.Instant(at)})
		}
	}
	return repeats, nil
}
