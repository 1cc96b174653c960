// Package examples_test runs what the modules of the examples hold, which the tests of this module
// do not reach.
package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"testing"

	"github.com/bucketgen/bucketgen/internal/repotest"
)

// inCDNow runs a go command in the module and returns its output.
func inCDNow(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = "cdnow"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %q: %v\n%s%s", args, err, out, &stderr)
	}
	return out
}

func TestCDNow(t *testing.T) {
	t.Parallel()
	repotest.DependOn(t, "..")
	for _, tc := range []struct {
		name string
		args []string
	}{
		{"vets", []string{"vet", "./..."}},
		{"passes its tests", []string{"test", "./..."}},
		{"is generated", []string{"tool", "bucketgen", "check", "./buckets"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inCDNow(t, tc.args...)
		})
	}
}

// TestCDNowData counts what the documentation says of the data.
func TestCDNowData(t *testing.T) {
	t.Parallel()
	lines := json.NewDecoder(bytes.NewReader(inCDNow(t, "run", "./cmd/purchases", "data/CDNOW_master.txt.gz")))
	lines.DisallowUnknownFields()
	purchases, customers, ids := 0, map[string]bool{}, map[string]bool{}
	for previous := ""; ; purchases++ {
		var line struct {
			Type, Event, UserID, MessageID, Timestamp string
			Properties                                struct{ CDs, Amount json.Number }
		}
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("purchase %d: %v", purchases, err)
		}
		if line.Type != "track" || line.Event != "purchase" {
			t.Fatalf("purchase %d: got %s %s, want track purchase", purchases, line.Type, line.Event)
		}
		if line.Timestamp < previous {
			t.Fatalf("purchase %d: %s comes after %s", purchases, line.Timestamp, previous)
		}
		previous, customers[line.UserID], ids[line.MessageID] = line.Timestamp, true, true
	}
	if purchases != 69659 || len(ids) != 69659 || len(customers) != 23570 {
		t.Errorf("got %d purchases with %d message ids of %d customers, want 69659, 69659, 23570", purchases, len(ids), len(customers))
	}
}
