package merge

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/gen/db"
	"github.com/bucketgen/bucketgen/internal/resolve"
	"github.com/bucketgen/bucketgen/internal/retry"
)

// Preview returns what [Merger.Merge] would come to. It merges, reads what came of it, and rolls
// back, so the preview is the merge.
func (m *Merger) Preview(ctx context.Context, attempts *retry.Attempts, from, into string) (p bucketgen.MergePreview, err error) {
	err = m.again(ctx, attempts, &from, &into, func() (err error) {
		p, err = m.preview(ctx, from, into)
		return err
	})
	if from == into {
		p = bucketgen.MergePreview{From: resolve.Text(from), Into: resolve.Text(into), At: m.Runner.Now().Time()}
	}
	return p, err
}

func (m *Merger) preview(ctx context.Context, from, into string) (p bucketgen.MergePreview, err error) {
	conn, err := m.Runner.Pool.Acquire(ctx)
	if err != nil {
		return p, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	two := m.merging(byCaller, from, into)
	two.beginOn(conn)
	p, err = two.preview(ctx)
	return p, m.Runner.Links.Rollback(ctx, conn, err)
}

// preview merges in a transaction that goes on, and compares what was before with what is then.
func (m *merging) preview(ctx context.Context) (p bucketgen.MergePreview, err error) {
	both, err := m.lock(ctx)
	if err != nil {
		return p, err
	}
	p = bucketgen.MergePreview{From: resolve.Text(m.from), Into: resolve.Text(m.into), At: m.now.Time()}
	for _, user := range []string{m.from, m.into} {
		if both.Created(user) {
			p.Created = append(p.Created, resolve.Text(user))
		}
	}
	if p.Events, err = m.Runner.Store.Queries(m.conn).EventsCount(ctx, both.Contact(m.from)); err != nil {
		return p, fmt.Errorf("count the events: %w", err)
	}
	from, err := m.side(ctx, m.from)
	if err != nil {
		return p, err
	}
	into, err := m.side(ctx, m.into)
	if err != nil {
		return p, err
	}
	if err := m.become(ctx, both); err != nil {
		return p, err
	}
	if err := m.written.Send(ctx, m.conn, m.Runner.Store, false); err != nil {
		return p, fmt.Errorf("write: %w", err)
	}
	after, err := m.side(ctx, m.into)
	if err != nil {
		return p, err
	}
	p.Transitions, p.Properties, p.Stays = m.made, mergedProperties(from, into, after), m.mergedStays(from, into, after)
	return p, nil
}

// side is what a preview compares of a user.
type side struct {
	properties map[string]json.RawMessage
	stays      map[int32]db.MembershipsOfRow // stays has the active ones by the number of the bucket.
}

// side reads a user within the transaction.
func (m *merging) side(ctx context.Context, user string) (p side, err error) {
	queries := m.Runner.Store.Queries(m.conn)
	row, err := queries.ContactsShow(ctx, user)
	if err == nil {
		err = json.Unmarshal(row.Properties, &p.properties)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return p, errGone
	}
	if err != nil {
		return p, fmt.Errorf("read the properties: %w", err)
	}
	stays, err := queries.MembershipsOf(ctx, user)
	if err != nil {
		return p, fmt.Errorf("read the stays: %w", err)
	}
	p.stays = map[int32]db.MembershipsOfRow{}
	for _, stay := range stays {
		if stay.BucketNo != nil {
			p.stays[*stay.BucketNo] = stay
		}
	}
	return p, nil
}

// mergedProperties says where each property of the survivor comes from.
func mergedProperties(from, into, after side) []bucketgen.MergedProperty {
	var all []bucketgen.MergedProperty
	for _, name := range slices.Sorted(maps.Keys(after.properties)) {
		value, theirs, own := after.properties[name], from.properties[name], into.properties[name]
		p := bucketgen.MergedProperty{Name: name, Value: value, Moved: !bytes.Equal(value, own)}
		lost := theirs
		if p.Moved {
			lost = own
		}
		if lost != nil && !bytes.Equal(lost, value) {
			p.Lost = lost
		}
		all = append(all, p)
	}
	return all
}

// mergedStays says what becomes of the stays of both in the buckets of the definitions.
func (m *merging) mergedStays(from, into, after side) []bucketgen.MergedStay {
	buckets := map[int32]struct{}{}
	for _, p := range []side{from, into, after} {
		for no := range p.stays {
			buckets[no] = struct{}{}
		}
	}
	var all []bucketgen.MergedStay
	for no := range buckets {
		index, defined := m.Runner.Store.Index(no)
		if !defined {
			continue
		}
		row := &m.Runner.Registry.Buckets[index]
		stay := mergedStay(from.stays[no], into.stays[no], after.stays[no])
		stay.BucketID, stay.BucketName = row.ID, row.Name
		all = append(all, stay)
	}
	slices.SortFunc(all, func(a, b bucketgen.MergedStay) int { return cmp.Compare(a.BucketID, b.BucketID) })
	return all
}

// mergedStay says what becomes of the stays of both in a bucket. A row without an id is no stay.
func mergedStay(from, into, after db.MembershipsOfRow) bucketgen.MergedStay {
	is := func(a, b db.MembershipsOfRow) bool { return a.ID != nil && b.ID != nil && *a.ID == *b.ID }
	stay, shown := bucketgen.MergedStay{FromEnds: from.ID != nil && !is(from, after)}, after
	switch {
	case is(into, after):
		stay.Change = bucketgen.StayContinues
	case is(from, after):
		stay.Change = bucketgen.StayMoves
	case after.ID != nil:
		stay.Change = bucketgen.StayBegins
	default:
		stay.Change = bucketgen.StayEnds
		if shown = into; into.ID == nil {
			shown = from
		}
		stay.FromEnds = false
	}
	stay.EnteredAt = shown.EnteredAt.Time.UTC()
	if after.ID != nil {
		stay.EntryCount = int(*after.EntryCount)
	}
	return stay
}
