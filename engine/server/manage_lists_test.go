package server_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server/client"
)

// TestManageBucketList lists buckets in an order, in pages, and by what they are, as the Go API does.
func TestManageBucketList(t *testing.T) {
	t.Parallel()
	m, ctx := newManaged(t), t.Context()
	for _, user := range []string{"ada", "bob", "cyd"} {
		m.is(t, user, "pro")
	}
	m.clock.Advance(25 * time.Hour)
	m.is(t, "bob", "free")
	if _, err := m.admin.AddMember(ctx, "testers", "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.admin.PauseBucket(ctx, "active"); err != nil {
		t.Fatal(err)
	}
	manual := true
	for _, test := range []struct {
		name   string
		params client.ListBucketsParams
		query  engine.BucketQuery
		want   []string
	}{
		{"largest first", client.ListBucketsParams{Sort: "size", Order: "desc"}, engine.BucketQuery{Sort: bucketgen.SortBySize, Descending: true}, []string{"pro", "testers", "active"}},
		{"by leaves", client.ListBucketsParams{Sort: "left", Order: "desc"}, engine.BucketQuery{Sort: bucketgen.SortByLeft, Descending: true}, []string{"pro", "testers", "active"}},
		{"by name", client.ListBucketsParams{Sort: "name"}, engine.BucketQuery{Sort: bucketgen.SortByName}, []string{"active", "pro", "testers"}},
		{"paused", client.ListBucketsParams{State: client.BucketStatePaused}, engine.BucketQuery{State: bucketgen.BucketPaused}, []string{"active"}},
		{"manual", client.ListBucketsParams{Kind: "manual"}, engine.BucketQuery{Manual: &manual}, []string{"testers"}},
		{"by a part", client.ListBucketsParams{Q: "TEST"}, engine.BucketQuery{Text: "TEST"}, []string{"testers"}},
	} {
		page, err := m.read.ListBuckets(ctx, test.params)
		want, wantErr := m.engine.Inspect().Buckets(ctx, test.query)
		same(t, test.name, page.Buckets, err, want.Rows, wantErr)
		if page.Total != int64(want.Total) {
			t.Errorf("%s: got a total of %d, want %d", test.name, page.Total, want.Total)
		}
		var got []string
		for params := test.params; ; {
			params.Limit = 1
			page, err := m.read.ListBuckets(ctx, params)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page.Buckets[0].ID)
			if params.After = page.Next; params.After == "" {
				break
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v one by one, want %v", test.name, got, test.want)
		}
	}
	first, err := m.read.ListBuckets(ctx, client.ListBucketsParams{Sort: "size", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for field, params := range map[string]client.ListBucketsParams{
		"after": {After: first.Next}, "sort": {Sort: "color"}, "state": {State: "asleep"}, "kind": {Kind: "odd"}, "order": {Order: "up"}, "limit": {Limit: 1001},
	} {
		_, err := m.read.ListBuckets(ctx, params)
		refused(t, field, err, 400, field)
	}

	m.down.Store(true)
	got, err := m.read.GetSummary(ctx)
	want, wantErr := m.engine.Inspect().Summary(ctx)
	if diff := got.OutboxLagSeconds - want.OutboxLagSeconds; diff > 60 || diff < -60 { // deliveries go on meanwhile
		t.Errorf("got %+v, want %+v", got, want)
	}
	got.OutboxLagSeconds, want.OutboxLagSeconds, got.Waiting, want.Waiting, got.Dead, want.Dead = 0, 0, 0, 0, 0, 0
	same(t, "summary", got, err, want, wantErr)
	if got.Buckets != 3 || got.Paused != 1 || !got.Agreed || !got.AsOf.Equal(m.clock.Now()) {
		t.Errorf("got %+v", got)
	}
}
