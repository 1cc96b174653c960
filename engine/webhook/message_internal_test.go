package webhook

import (
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine"
)

// TestIDsAfterLostCommits gives a transition the key of another one, which a failover lost after it
// was posted.
func TestIDsAfterLostCommits(t *testing.T) {
	t.Parallel()
	lost := engine.Transition{BucketID: "pro", UserID: "ada", Kind: engine.Entered, EntryCount: 1, At: time.Date(2026, 1, 1, 0, 0, 0, 1000, time.UTC)}
	instead := lost
	instead.At = lost.At.Add(time.Microsecond)
	if lost.Key() != instead.Key() || idOf(lost) == idOf(instead) {
		t.Errorf("keys %s and %s, ids %s and %s; only the ids are to differ", lost.Key(), instead.Key(), idOf(lost), idOf(instead))
	}
	again := lost
	again.At, again.Replayed, again.DecidedAt = lost.At.In(time.FixedZone("", 3600)), true, time.Now()
	if idOf(lost) != idOf(again) {
		t.Errorf("got %s and %s for one transition", idOf(lost), idOf(again))
	}
}
