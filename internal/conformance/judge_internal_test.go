package conformance

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bucketgen/bucketgen/internal/refeval"
)

// TestNothingElseIsExplained falsifies recordings, a transition at a time, and wants every one of
// them to fail: a deviation must not excuse what it is not about.
//
// Left out is where a deviation is about everything that happens to a bucket or user: one that we
// do not have, one whom we know by another name, one who is deleted.
func TestNothingElseIsExplained(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		v, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Needs()) > 0 || slices.ContainsFunc(v.Steps, func(s Action) bool { return s.Op == "contact_delete" }) {
			continue
		}
		r, err := v.registered()
		if err != nil {
			t.Fatal(err)
		}
		steps := v.play(r)
		h := refeval.Run(r.first, steps, steps[len(steps)-1].At)
		for i, made := range v.Expected.Transitions {
			if v.strangers()[made.User] || r.unruly[made.Bucket] {
				continue
			}
			for name, falsify := range falsifications {
				forged := v.copied(t)
				if !falsify(forged, i) {
					continue
				}
				tried++
				if found, err := judge(forged, r, h); err == nil {
					t.Errorf("%s with transition %d %s passes, as %v", v.ID, i, name, found)
				}
			}
		}
	}
	if tried < 400 {
		t.Errorf("only %d recordings were falsified", tried)
	}
}

// falsifications change a transition of a recording, and report whether they could.
var falsifications = map[string]func(*Vector, int) bool{
	"not emitted": func(v *Vector, i int) bool {
		possible := v.Expected.Transitions[i].Kind != "dwell" // what is not emitted of those leaves no trace
		v.Expected.Transitions = slices.Delete(v.Expected.Transitions, i, i+1)
		return possible
	},
	"for another reason": func(v *Vector, i int) bool {
		made := &v.Expected.Transitions[i]
		if made.Reason == "criteria" {
			made.Reason = "maxDwell"
		} else {
			made.Reason = "criteria"
		}
		return made.Kind == "left"
	},
	"by another source": func(v *Vector, i int) bool {
		made := &v.Expected.Transitions[i]
		if made.Source == "backfill" {
			made.Source = "event"
		} else {
			made.Source = "backfill"
		}
		return true
	},
	"of another entry count": func(v *Vector, i int) bool {
		made := v.Expected.Transitions[i]
		for n := range v.Expected.Transitions {
			if t := &v.Expected.Transitions[n]; t.Bucket == made.Bucket && t.User == made.User && t.EntryCount == made.EntryCount {
				t.EntryCount++
			}
		}
		for n := range v.Expected.Memberships {
			if m := &v.Expected.Memberships[n]; m.Bucket == made.Bucket && m.User == made.User && m.EntryCount == made.EntryCount {
				m.EntryCount++
			}
		}
		return made.Kind == "entered"
	},
}

func (v *Vector) copied(t *testing.T) *Vector {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var copied Vector
	if err := json.Unmarshal(data, &copied); err != nil {
		t.Fatal(err)
	}
	return &copied
}
