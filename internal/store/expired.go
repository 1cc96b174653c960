package store

import (
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/pipeline"
	"github.com/bucketgen/bucketgen/registry/table"
)

// queueLastEvents reads when the last event of users arrived.
func (ld *Loaded) queueLastEvents(q *pipeline.Batch, users []string) {
	if len(users) == 0 {
		return
	}
	contacts := make([]int64, len(users))
	for i, name := range users {
		contacts[i] = ld.contactOf(name)
	}
	q.Add(db.ExpiredLastEvent, users, contacts).Query(pipeline.Each(func(row db.ExpiredLastEventRow) {
		u := ld.users[row.UserID]
		u.lastEvent, u.lastEventKnown = instant(row.Last), true
	}))
}

// addEnded ends a contact at an instant.
func (w *Write) addEnded(s *Store, u *user, name string, at, now table.Instant) {
	p := &w.ended
	p.ContactIds, p.Names, p.Ats = append(p.ContactIds, u.contact.ID), append(p.Names, name), append(p.Ats, timestamp(at))
	p.Now, p.Later = timestamp(now), timestamp(now.Add(s.FeedAge))
	if !u.contact.DeletedAt.Valid { // stays in buckets that this process does not have last
		w.hidden.Members, w.hidden.ContactIds = -1, append(w.hidden.ContactIds, u.contact.ID)
	}
}

// Ends reports whether the write ends a contact.
func (w *Write) Ends() bool { return len(w.ended.ContactIds) > 0 }
