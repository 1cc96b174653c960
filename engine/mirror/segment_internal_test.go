package mirror

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// TestMessageIDs compares the ids of a transition that is sent again with those of another that has
// its key, as after a failover that lost commits. The same holds for a user whose id is too long
// for a readable messageId.
func TestMessageIDs(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, user := range []string{"ada", strings.Repeat("x", 150)} {
		lost := engine.Transition{BucketID: "pro", UserID: user, Kind: engine.Entered, EntryCount: 1, At: at}
		other := lost
		other.At = at.Add(time.Microsecond)
		body, err := json.Marshal(segmentBatch([]engine.Delivery{{Transition: lost}, {Transition: lost}, {Transition: other}}, at))
		if err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Batch []struct {
				MessageID string `json:"messageId"`
			} `json:"batch"`
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Fatal(err)
		}
		first, again, another := sent.Batch[0].MessageID, sent.Batch[1].MessageID, sent.Batch[2].MessageID
		if first != again || first == another || max(len(first), len(another)) > 100 {
			t.Errorf("user %.10s: the ids are %q, again %q and of another transition %q", user, first, again, another)
		}
	}
}
