package store

import (
	"github.com/bucketgen/bucketgen/internal/decide"
	"github.com/bucketgen/bucketgen/internal/resolve"
)

func (w *Write) addStay(s *Store, contact int64, c *decide.StayChange) {
	no, entryCount := s.buckets[c.Bucket], int32(c.EntryCount)
	switch {
	case c.Opened && c.Closed:
		w.passes.ContactIds = append(w.passes.ContactIds, contact)
		w.passes.BucketNos = append(w.passes.BucketNos, no)
		w.passes.EntryCounts = append(w.passes.EntryCounts, entryCount)
		w.passes.EnteredAt = append(w.passes.EnteredAt, timestamp(c.EnteredAt))
		w.passes.LeftAt = append(w.passes.LeftAt, timestamp(c.LeftAt))
		w.passes.AnchorAt = append(w.passes.AnchorAt, timestamp(c.AnchorAt))
		w.passes.TickedAt = append(w.passes.TickedAt, timestamp(c.TickedAt))
		w.passes.Blocked = append(w.passes.Blocked, c.Blocked)
		w.passes.Sources = append(w.passes.Sources, string(c.Source))
		w.passes.Reasons = append(w.passes.Reasons, string(c.Reason))
	case c.Opened:
		w.joins.ContactIds = append(w.joins.ContactIds, contact)
		w.joins.BucketNos = append(w.joins.BucketNos, no)
		w.joins.EntryCounts = append(w.joins.EntryCounts, entryCount)
		w.joins.EnteredAt = append(w.joins.EnteredAt, timestamp(c.EnteredAt))
		w.joins.AnchorAt = append(w.joins.AnchorAt, timestamp(c.AnchorAt))
		w.joins.TickedAt = append(w.joins.TickedAt, timestamp(c.TickedAt))
		w.joins.Sources = append(w.joins.Sources, string(c.Source))
	case c.Closed:
		w.leaves.ContactIds = append(w.leaves.ContactIds, contact)
		w.leaves.BucketNos = append(w.leaves.BucketNos, no)
		w.leaves.EntryCounts = append(w.leaves.EntryCounts, entryCount)
		w.leaves.LeftAt = append(w.leaves.LeftAt, timestamp(c.LeftAt))
		w.leaves.Reasons = append(w.leaves.Reasons, string(c.Reason))
		w.leaves.TickedAt = append(w.leaves.TickedAt, timestamp(c.TickedAt))
		w.leaves.Blocked = append(w.leaves.Blocked, c.Blocked)
	default:
		w.amends.ContactIds = append(w.amends.ContactIds, contact)
		w.amends.BucketNos = append(w.amends.BucketNos, no)
		w.amends.EntryCounts = append(w.amends.EntryCounts, entryCount)
		w.amends.TickedAt = append(w.amends.TickedAt, timestamp(c.TickedAt))
		w.amends.Blocked = append(w.amends.Blocked, c.Blocked)
	}
}

func (w *Write) addTransition(s *Store, contact int64, user string, t *decide.Transition) {
	w.transitions.ContactIds = append(w.transitions.ContactIds, contact)
	w.transitions.BucketNos = append(w.transitions.BucketNos, s.buckets[t.Bucket])
	w.transitions.EntryCounts = append(w.transitions.EntryCounts, int32(t.EntryCount))
	w.transitions.Kinds = append(w.transitions.Kinds, string(t.Kind))
	w.transitions.Ticks = append(w.transitions.Ticks, t.Tick)
	w.transitions.DwellCounts = append(w.transitions.DwellCounts, int64(t.DwellCount))
	w.transitions.Ats = append(w.transitions.Ats, timestamp(t.At))
	w.transitions.DecidedAt = append(w.transitions.DecidedAt, timestamp(t.DecidedAt))
	w.transitions.Sources = append(w.transitions.Sources, string(t.Source))
	w.transitions.Reasons = append(w.transitions.Reasons, string(t.Reason))
	w.transitions.Suppressed = append(w.transitions.Suppressed, t.Suppressed)
	w.transitions.Lives = append(w.transitions.Lives, int32(max(t.Life, 1)))
	w.transitions.NameKinds = append(w.transitions.NameKinds, resolve.NonUserKind(user))
}
