package store

import (
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bucketgen/bucketgen/internal/decide"
)

func (w *Write) addEvent(contact int64, e *decide.Logged) {
	if e.Kind.Named() != (e.NameNo != 0) {
		w.err = errUnnamed
	}
	w.makeRoomForEvents()
	w.events.ContactIds = append(w.events.ContactIds, contact)
	w.events.EventNos = append(w.events.EventNos, e.NameNo)
	w.events.OccurredAt = append(w.events.OccurredAt, timestamp(e.OccurredAt))
	w.events.ReceivedAt = append(w.events.ReceivedAt, timestamp(e.ReceivedAt))
	w.events.Kinds = append(w.events.Kinds, string(e.Kind))
	w.events.Properties = append(w.events.Properties, string(e.Properties.Raw))
	w.events.Traits = append(w.events.Traits, string(e.Traits.Raw))
	if e.Key != "" {
		w.keys.ContactIds = append(w.keys.ContactIds, contact)
		w.keys.Keys = append(w.keys.Keys, e.Key)
		w.keys.SeenAt = append(w.keys.SeenAt, timestamp(e.ReceivedAt))
	}
}

// makeRoomForEvents allocates the columns of the log for all events at once.
func (w *Write) makeRoomForEvents() {
	e, n := &w.events, w.expected
	if e.ContactIds != nil {
		return
	}
	e.ContactIds, e.EventNos = make([]int64, 0, n), make([]int32, 0, n)
	e.OccurredAt, e.ReceivedAt = make([]pgtype.Timestamptz, 0, n), make([]pgtype.Timestamptz, 0, n)
	e.Kinds, e.Properties, e.Traits = make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
}
