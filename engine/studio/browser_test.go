//go:build studio

package studio_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	only  = flag.String("studio.only", "", "run the browser tests whose name matches a regular expression only")
	hold  = flag.Bool("studio.hold", false, "serve the world of the browser tests until interrupted")
	every = flag.Uint("studio.every", 10, "seed one customer of this number")
)

// tools is where make test-studio installs playwright-core and axe-core.
const tools = "../../tools/studio"

// TestBrowser runs the checks of Studio in Chromium.
func TestBrowser(t *testing.T) {
	w := newWorld(t, uint32(*every))
	if *hold {
		keep(t, w)
		return
	}
	files, err := filepath.Glob(tools + "/test/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files of tests, %v", len(files), err)
	}
	args := []string{"--test", "--test-concurrency=1", "--test-reporter=spec"}
	for _, file := range files {
		args = append(args, "test/"+filepath.Base(file))
	}
	run(t, w, args...)
}

// run runs a script of Node.js against a world.
func run(t *testing.T, w *world, args ...string) {
	t.Helper()
	keys, err := json.Marshal(w.keys)
	if err != nil {
		t.Fatal(err)
	}
	if *only != "" {
		args = append([]string{"--test-name-pattern=" + *only}, args...)
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir = tools
	cmd.Env = append(os.Environ(), "STUDIO="+w.URL, "KEYS="+string(keys), "NEXT="+w.next.url)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %v", cmd, err)
	}
}

// keep serves a world for a person who tries it.
func keep(t *testing.T, w *world) {
	t.Helper()
	keys, _ := json.Marshal(w.keys)
	if err := os.WriteFile(filepath.Join(os.TempDir(), "studio.json"), []byte(`{"url":"`+w.URL+`","keys":`+string(keys)+`}`), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := filepath.Join(os.TempDir(), "studio.stop")
	waitForFile(t, stop)
}
