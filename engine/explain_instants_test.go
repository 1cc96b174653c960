package engine_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/bucket"
	"github.com/bucketgen/bucketgen/engine"
)

// TestExplainAllInstants explains conditions on instants from the year 1 to 9999, whose horizons
// may lie beyond it: whether they hold is as plain arithmetic says, and the explanation can be
// written as JSON and as text.
func TestExplainAllInstants(t *testing.T) {
	t.Parallel()
	const most = 100_000 * bucket.Day // a duration of Go ends at 106,751
	ends := bucket.Time("ends_at")
	spans := map[string]time.Duration{"month": 30 * bucket.Day, "centuries": most}
	var definitions []bucket.Definition
	for name, span := range spans {
		definitions = append(definitions,
			bucket.Define(bucket.Spec{ID: "past-" + name, Criteria: ends.MoreThanAgo(span)}),
			bucket.Define(bucket.Spec{ID: "last-" + name, Criteria: ends.InTheLast(span)}),
			bucket.Define(bucket.Spec{ID: "next-" + name, Criteria: ends.InTheNext(span)}),
		)
	}
	w := newWorld(t, definitions...)
	rng := rand.New(rand.NewPCG(5, 17))
	const first, last = -62135596800, 253402300799
	instants := []time.Time{time.Unix(first, 0), time.Unix(last, 0), time.Unix(last, 999999000), epoch, epoch.Add(most), epoch.Add(-most)}
	for range 10 {
		instants = append(instants, time.Unix(first+rng.Int64N(last-first), rng.Int64N(1e6)*1000))
	}
	now := epoch.Unix()
	for i, at := range instants {
		user, text := "u"+itoa(i), at.UTC().Format(time.RFC3339Nano)
		w.identify(user, map[string]any{"ends_at": text})
		for name, span := range spans {
			seconds, exact := int64(span/time.Second), at.Nanosecond() == 0
			ago := now - at.Unix() // at whole seconds
			for id, want := range map[string]bool{
				"past-" + name: ago >= seconds, "last-" + name: ago >= 0 && ago < seconds, "next-" + name: -ago > 0 && -ago <= seconds,
			} {
				x, err := w.Explain(t.Context(), w.ref(id), user)
				if err != nil {
					t.Fatalf("%s of %s: %v", id, text, err)
				}
				if exact && x.Member != want {
					t.Errorf("%s of %s: member %t, want %t", id, text, x.Member, want)
				}
				checkExplained(t, id+" of "+text, x, at)
			}
		}
	}
}

// checkExplained checks that an explanation can be written down, and says on which side of now the
// instant lies.
func checkExplained(t *testing.T, what string, x engine.Explanation, at time.Time) {
	t.Helper()
	if _, err := json.Marshal(x); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	evidence := x.Criteria.Evidence.Text
	said, _, _ := strings.Cut(evidence, ")")
	if at.Before(x.At) != strings.HasSuffix(said, " ago") {
		t.Errorf("%s: %s", what, evidence)
	}
	if x.String() == "" {
		t.Errorf("%s: nothing is said", what)
	}
}
