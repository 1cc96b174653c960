package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/internal/refeval"
)

// TestRules judges scenarios that are made up, in each of which a peer breaks one rule. A change of
// the peer's acts for which the rule is no reason is not explained.
func TestRules(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		vector string
		want   []Deviation
		wrong  map[string]func(*Vector)
	}{
		"a backfill joins after the redefinition": {
			vector: `{"buckets": [], "registration": [], "steps": [
				{"op":"contact_update","at":"@00:00:00","user":"u","contactProperties":{"plan":"pro"}},
				{"op":"redefine","at":"@00:00:10","buckets":[PRO],"observed":{"registration":[{"bucket":"pro","accepted":true}]}},
				{"op":"backfill","at":"@01:00:00","bucket":"pro","mode":"first-time"}],
				"expected":{"memberships":[{"bucket":"pro","user":"u","status":"active","entryCount":1,"source":"backfill","enteredAt":"@01:00:00"}]}}`,
			want: []Deviation{DeployInstant},
			wrong: map[string]func(*Vector){
				"as the second stay":       func(v *Vector) { v.Expected.Memberships[0].EntryCount = 2 },
				"a bucket that is unknown": func(v *Vector) { v.Expected.Memberships[0].Bucket = "other" },
			},
		},
		"a backfill that never comes is no deployment": {
			vector: `{"buckets": [], "registration": [], "steps": [
				{"op":"contact_update","at":"@00:00:00","user":"u","contactProperties":{"plan":"pro"}},
				{"op":"redefine","at":"@00:00:10","buckets":[PRO],"observed":{"registration":[{"bucket":"pro","accepted":true}]}}]}`,
			want: []Deviation{NoBackfill},
		},
		"a reconciliation ignores minDwell": {
			vector: `{"buckets":[RECENT],"registration":[{"bucket":"recent","accepted":true}], "steps": [
				{"op":"event","at":"@00:00:00","user":"u","name":"v"},
				{"op":"reconcile","at":"@01:00:00"}, {"op":"reconcile","at":"@02:00:00"}],
				"expected":{"transitions":[{"step":0,"bucket":"recent","user":"u","kind":"entered","epoch":1,"source":"event"},
					{"step":1,"bucket":"recent","user":"u","kind":"left","epoch":1,"source":"reconcile","reason":"criteria"}]}}`,
			want: []Deviation{ClockDefers},
			wrong: map[string]func(*Vector){
				"by another reason":     func(v *Vector) { v.Expected.Transitions[1].Reason = "maxDwell" },
				"by a backfill":         func(v *Vector) { v.Expected.Transitions[1].Source = "backfill" },
				"of another stay":       func(v *Vector) { v.Expected.Transitions[1].EntryCount = 2 },
				"with nothing to leave": func(v *Vector) { v.Steps[1].At = v.Steps[1].At.Add(-30 * time.Minute) },
			},
		},
		"a timer ignores minDwell": {
			vector: `{"buckets":[FAST],"registration":[{"bucket":"recent","accepted":true}], "steps": [
				{"op":"event","at":"@00:00:00","user":"u","name":"v"},
				{"op":"fire_timers","at":"@01:00:00"}, {"op":"reconcile","at":"@02:00:00"}],
				"expected":{"transitions":[{"step":0,"bucket":"recent","user":"u","kind":"entered","epoch":1,"source":"event"},
					{"step":1,"bucket":"recent","user":"u","kind":"left","epoch":1,"source":"reconcile","reason":"criteria"}]}}`,
			want: []Deviation{ClockDefers},
			wrong: map[string]func(*Vector){
				"by an event":           func(v *Vector) { v.Expected.Transitions[1].Source = "event" },
				"of a bucket with none": func(v *Vector) { v.Buckets[0].FastExpiry = false },
			},
		},
		"an event without a name is stored": {
			vector: `{"buckets":[PRO],"registration":[{"bucket":"pro","accepted":true}], "steps": [
				{"op":"event","at":"@00:00:00","user":"u","name":" \t","contactProperties":{"plan":"pro"},"observed":{"stored":true,"userKey":"u"}}],
				"expected":{"transitions":[{"step":0,"bucket":"pro","user":"u","kind":"entered","epoch":1,"source":"event"}]}}`,
			want: []Deviation{BlankNames},
			wrong: map[string]func(*Vector){
				"and sets no property": func(v *Vector) { v.Steps[0].ContactProperties = nil },
				"and has a name":       func(v *Vector) { v.Steps[0].Name, v.Steps[0].Observed.Error = "x", "no" },
			},
		},
		"a failed push fails an ingest, whose retry counts": {
			vector: `{"buckets":[TWICE],"registration":[{"bucket":"twice","accepted":true}], "steps": [
				{"op":"event","at":"@00:00:00","user":"u","name":"v","observed":{"stored":true,"userKey":"u"}},
				{"op":"fail_pushes","at":"@00:00:01","prefix":"v"},
				{"op":"event","at":"@00:00:02","user":"u","name":"v","idempotencyKey":"k","observed":{"error":"push"}},
				{"op":"fail_pushes","at":"@00:00:03"},
				{"op":"event","at":"@00:00:04","user":"u","name":"v","idempotencyKey":"k","observed":{"stored":true,"userKey":"u"}}],
				"expected":{"transitions":[{"step":4,"bucket":"twice","user":"u","kind":"entered","epoch":1,"source":"event"}]}}`,
			want: []Deviation{PushApart},
			wrong: map[string]func(*Vector){
				"although no push failed":           func(v *Vector) { v.Steps[1].Prefix = "" },
				"although another name's push does": func(v *Vector) { v.Steps[1].Prefix = "w" },
				"but is not announced":              func(v *Vector) { v.Expected.Transitions, v.Expected.Memberships = nil, v.member("twice") },
			},
		},
		"a failed push fails an ingest without a key, which counts": {
			vector: `{"buckets":[TWICE],"registration":[{"bucket":"twice","accepted":true}], "steps": [
				{"op":"event","at":"@00:00:00","user":"u","name":"v","observed":{"stored":true,"userKey":"u"}},
				{"op":"fail_pushes","at":"@00:00:01","prefix":"v"},
				{"op":"event","at":"@00:00:02","user":"u","name":"v","observed":{"error":"push"}},
				{"op":"fail_pushes","at":"@00:00:03"},
				{"op":"event","at":"@00:00:04","user":"u","name":"v","observed":{"stored":true,"userKey":"u"}}],
				"expected":{"transitions":[{"step":4,"bucket":"twice","user":"u","kind":"entered","epoch":1,"source":"event"}]}}`,
			want: []Deviation{PushApart},
			wrong: map[string]func(*Vector){
				"as the second stay": func(v *Vector) { v.Expected.Transitions[0].EntryCount = 2 },
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := judged(t, made(t, tt.vector))
			if err != nil {
				t.Fatal(err)
			}
			if got := found.sorted(); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			for name, falsify := range tt.wrong {
				v := made(t, tt.vector)
				falsify(v)
				if found, err := judged(t, v); err == nil {
					t.Errorf("%s: passes as %v", name, found)
				}
			}
		})
	}
}

// made returns a scenario that is made up, in which "@" stands for the day and names for buckets.
func made(t *testing.T, text string) *Vector {
	t.Helper()
	const window = `{"type":"event","eventName":"v","check":"exists","within":{"hours":1}}`
	text = strings.NewReplacer(
		`"@`, `"2026-01-01T`, `:00"`, `:00Z"`, `:10"`, `:10Z"`, `:01"`, `:01Z"`, `:02"`, `:02Z"`, `:03"`, `:03Z"`, `:04"`, `:04Z"`,
		"PRO", `{"id":"pro","name":"pro","criteria":{"type":"property","property":"plan","operator":"eq","value":"pro"}}`,
		"RECENT", `{"id":"recent","name":"recent","minDwell":{"hours":2},"criteria":`+window+`}`,
		"FAST", `{"id":"recent","name":"recent","minDwell":{"hours":2},"fastExpiry":true,"criteria":`+window+`}`,
		"TWICE", `{"id":"twice","name":"twice","criteria":{"type":"event","eventName":"v","check":"count","operator":"gte","value":2}}`,
	).Replace(text)
	var v Vector
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	v.Clock.Start = v.Steps[0].At
	return &v
}

func judged(t *testing.T, v *Vector) (deviations, error) {
	t.Helper()
	r, err := v.registered()
	if err != nil {
		t.Fatal(err)
	}
	steps := v.play(r)
	return judge(v, r, refeval.Run(r.first, steps, steps[len(steps)-1].At))
}

// member returns a row of the user u, who joined a bucket in the last step.
func (v *Vector) member(bucket string) []Membership {
	return []Membership{{Bucket: bucket, User: "u", Status: "active", EntryCount: 1, Source: "event", EnteredAt: v.Steps[len(v.Steps)-1].At}}
}
