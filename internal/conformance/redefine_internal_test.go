package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bucketgen/bucketgen/internal/refeval"
)

// Criteria of made-up recordings.
const (
	pro   = `{"type":"property","property":"plan","operator":"eq","value":"pro"}`
	free  = `{"type":"property","property":"plan","operator":"eq","value":"free"}`
	visit = `{"type":"event","eventName":"v","check":"exists","within":{"hours":1}}`
)

func at(minute int) string {
	return fmt.Sprintf(`"2026-01-01T%02d:%02d:00Z"`, minute/60, minute%60)
}

func visits(minute int, plan string) string {
	return fmt.Sprintf(`{"op":"event","at":%s,"user":"u","name":"v","contactProperties":{"plan":%q},"observed":{"stored":true,"userKey":"u"}}`, at(minute), plan)
}

func acts(minute int, op, mode string) string {
	return fmt.Sprintf(`{"op":%q,"at":%s,"bucket":"b","mode":%q}`, op, at(minute), mode)
}

func bucketOf(criteria, more string) string {
	return fmt.Sprintf(`{"id":"b","criteria":%s%s}`, criteria, more)
}

func redefine(minute int, buckets ...string) string {
	accepted := strings.TrimSuffix(strings.Repeat(`{"bucket":"b","accepted":true},`, len(buckets)), ",")
	return fmt.Sprintf(`{"op":"redefine","at":%s,"buckets":[%s],"observed":{"registration":[%s]}}`, at(minute), strings.Join(buckets, ","), accepted)
}

func entered(step, entryCount int, source string) string {
	return fmt.Sprintf(`{"step":%d,"bucket":"b","user":"u","kind":"entered","epoch":%d,"source":%q}`, step, entryCount, source)
}

func left(step int, source string) string {
	return fmt.Sprintf(`{"step":%d,"bucket":"b","user":"u","kind":"left","epoch":1,"source":%q,"reason":"criteria"}`, step, source)
}

// stay is a row of the final table; it is active if it ends at minute 0.
func stay(entryCount int, source string, from, to int) string {
	end := "null"
	if to > 0 {
		end = at(to)
	}
	return fmt.Sprintf(`{"bucket":"b","user":"u","entryCount":%d,"source":%q,"enteredAt":%s,"leftAt":%s}`, entryCount, source, at(from), end)
}

// TestRedefined judges made-up recordings of what a peer may do when buckets are redefined,
// backfilled or disabled: by which deviations it differs from us, or that none explains it.
func TestRedefined(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before             []string
		steps, transitions []string
		stays              []string
		want               string // "no" if no deviation explains it
	}{
		"a new bucket is backfilled": {
			nil,
			[]string{visits(1, "pro"), redefine(2, bucketOf(pro, "")), acts(3, "backfill", "first-time")},
			nil,
			[]string{stay(1, "backfill", 3, 0)},
			"16",
		},
		"or at once": {
			nil,
			[]string{visits(1, "pro"), redefine(2, bucketOf(pro, "")), acts(2, "backfill", "first-time")},
			nil,
			[]string{stay(1, "backfill", 2, 0)},
			"",
		},
		"or never, and the user joins by an event": {
			nil,
			[]string{visits(1, "pro"), redefine(2, bucketOf(pro, "")), visits(4, "pro")},
			[]string{entered(2, 1, "event")},
			[]string{stay(1, "event", 4, 0)},
			"11",
		},
		"a backfill that announces joins": {
			nil,
			[]string{visits(1, "pro"), redefine(2, bucketOf(pro, "")), acts(3, "backfill", "first-time")},
			[]string{entered(2, 1, "backfill")},
			[]string{stay(1, "backfill", 3, 0)},
			"no",
		},
		"a backfill that lets in who does not match": {
			nil,
			[]string{visits(1, "free"), redefine(2, bucketOf(pro, "")), acts(3, "backfill", "first-time")},
			nil,
			[]string{stay(1, "backfill", 3, 0)},
			"no",
		},
		"a redefined bucket waits for the clock": {
			[]string{bucketOf(pro, "")},
			[]string{visits(1, "pro"), redefine(2, bucketOf(free, "")), acts(3, "backfill", "first-time"), acts(4, "reconcile", "")},
			[]string{entered(0, 1, "event"), left(3, "reconcile")},
			[]string{stay(1, "event", 1, 4)},
			"11",
		},
		"a leave that is not announced": {
			[]string{bucketOf(pro, "")},
			[]string{visits(1, "pro"), redefine(2, bucketOf(free, "")), acts(3, "backfill", "reeval")},
			[]string{entered(0, 1, "event")},
			[]string{stay(1, "event", 1, 3)},
			"no",
		},
		"a minimal dwell is not respected": {
			[]string{bucketOf(pro, `,"minDwell":{"hours":1}`)},
			[]string{visits(1, "pro"), redefine(2, bucketOf(free, `,"minDwell":{"hours":1}`)), acts(3, "backfill", "reeval"), acts(90, "reconcile", "")},
			[]string{entered(0, 1, "event"), left(2, "backfill")},
			[]string{stay(1, "event", 1, 3)},
			"1,10",
		},
		"or it is": {
			[]string{bucketOf(pro, `,"minDwell":{"hours":1}`)},
			[]string{visits(1, "pro"), redefine(2, bucketOf(free, `,"minDwell":{"hours":1}`)), acts(3, "backfill", "reeval"), acts(61, "reconcile", "")},
			[]string{entered(0, 1, "event"), left(3, "reconcile")},
			[]string{stay(1, "event", 1, 61)},
			"",
		},
		"a bucket is removed, and comes back": {
			[]string{bucketOf(visit, "")},
			[]string{visits(1, "pro"), redefine(2), redefine(90, bucketOf(visit, "")), acts(95, "reconcile", "")},
			[]string{entered(0, 1, "event"), left(3, "reconcile")},
			[]string{stay(1, "event", 1, 95)},
			"11",
		},
		"a removed bucket moves": {
			[]string{bucketOf(visit, "")},
			[]string{visits(1, "pro"), redefine(2), acts(95, "reconcile", "")},
			[]string{entered(0, 1, "event"), left(2, "reconcile")},
			[]string{stay(1, "event", 1, 95)},
			"no",
		},
		"a disabled bucket is enabled": {
			[]string{bucketOf(visit, `,"enabled":false`)},
			[]string{visits(1, "pro"), redefine(2, bucketOf(visit, "")), acts(3, "backfill", "first-time"), acts(61, "reconcile", "")},
			[]string{left(3, "reconcile")},
			[]string{stay(1, "backfill", 3, 61)},
			"16",
		},
		"words change": {
			[]string{bucketOf(visit, "")},
			[]string{visits(1, "pro"), redefine(2, bucketOf(visit, `,"name":"Another"`)), acts(3, "backfill", "reeval"), acts(61, "reconcile", "")},
			[]string{entered(0, 1, "event"), left(3, "reconcile")},
			[]string{stay(1, "event", 1, 61)},
			"",
		},
		"the kill switch is not obeyed": {
			[]string{bucketOf(visit, "")},
			[]string{visits(1, "pro"), acts(2, "admin_disable", ""), acts(61, "reconcile", ""), visits(70, "pro")},
			[]string{entered(0, 1, "event"), left(2, "reconcile"), entered(3, 2, "event")},
			[]string{stay(1, "event", 1, 61), stay(2, "event", 70, 0)},
			"15",
		},
		"or it is obeyed": {
			[]string{bucketOf(visit, "")},
			[]string{visits(1, "pro"), acts(2, "admin_disable", ""), acts(61, "reconcile", ""), visits(70, "pro")},
			[]string{entered(0, 1, "event")},
			[]string{stay(1, "event", 1, 0)},
			"",
		},
		"a disabled bucket makes no sense": {
			[]string{bucketOf(visit, "")},
			[]string{visits(1, "pro"), acts(2, "admin_disable", ""), acts(30, "reconcile", "")},
			[]string{entered(0, 1, "event"), left(2, "reconcile")},
			[]string{stay(1, "event", 1, 30)},
			"no",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accepted := strings.TrimSuffix(strings.Repeat(`{"bucket":"b","accepted":true},`, len(test.before)), ",")
			list := func(all []string) string { return strings.Join(all, ",") }
			text := fmt.Sprintf(`{"buckets":[%s],"registration":[%s],"steps":[%s],"expected":{"transitions":[%s],"memberships":[%s]}}`,
				list(test.before), accepted, list(test.steps), list(test.transitions), list(test.stays))
			var v Vector
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			r, err := v.registered()
			if err != nil {
				t.Fatal(err)
			}
			steps := v.play(r)
			found, err := judge(&v, r, refeval.Run(r.first, steps, steps[len(steps)-1].At))
			got, _, _ := strings.Cut(found.String(), " ")
			if err != nil {
				got = "no"
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s%v", diff, err)
			}
		})
	}
}
