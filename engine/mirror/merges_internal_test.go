package mirror

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/engine"
)

// TestMerges reads what mirrors send when a contact became another: of a visitor, a lead and a
// user.
func TestMerges(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	var deliveries []engine.Delivery
	for i, kind := range []string{engine.KindAnonymous, engine.KindEmail, engine.KindUser} {
		deliveries = append(deliveries, engine.Delivery{
			Transition: engine.Transition{Kind: engine.Merged, MembershipID: int64(i + 1), At: at},
			Notice:     &engine.Notice{From: &engine.ID{Kind: kind, Value: "x"}, Into: &engine.ID{Kind: engine.KindUser, Value: "ada"}, At: at},
		})
	}
	for _, tc := range []struct {
		name, want string
		body       any
	}{
		{"segment", `[
			{"type":"alias","userId":"ada","previousId":"x"}, {"type":"alias","userId":"ada","previousId":"email:x"},
			{"type":"alias","userId":"ada","previousId":"x"}]`, segmentBatch(deliveries, at)},
		{"posthog", `[
			{"event":"$identify","distinct_id":"ada","properties":{"$anon_distinct_id":"x"}},
			{"event":"$merge_dangerously","distinct_id":"ada","properties":{"alias":"email:x"}},
			{"event":"$merge_dangerously","distinct_id":"ada","properties":{"alias":"x"}}]`, PostHogConfig{}.body(deliveries)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(tc.body)
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Batch []map[string]any }
			var want []map[string]any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			ids := map[any]bool{}
			for _, one := range got.Batch {
				ids[one["messageId"]], ids[one["uuid"]] = true, true
				for _, name := range []string{"messageId", "uuid", "timestamp"} {
					delete(one, name)
				}
			}
			if diff := cmp.Diff(want, got.Batch); diff != "" || len(ids) != len(deliveries)+1 {
				t.Errorf("%d ids; -want +got\n%s", len(ids)-1, diff)
			}
		})
	}
}
