package load

import (
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/tools/go/packages"
)

// cutPanic splits the output of a crashed Go program into the message and its position.
func cutPanic(stderr string) (message, trace string, panicked bool) {
	for _, prefix := range []string{"panic: ", "fatal error: "} {
		at := strings.Index("\n"+stderr, "\n"+prefix)
		if at < 0 {
			continue
		}
		message, trace, _ = strings.Cut(stderr[at+len(prefix):], "\n\n")
		message, _, _ = strings.Cut(message, "\n[signal ")
		message, _, _ = strings.Cut(message, "\n\tpanic: ") // panics of deferred functions are consequences
		return strings.TrimSuffix(message, " [recovered]"), trace, true
	}
	return "", "", false
}

// frame is a call in the trace of a goroutine: the function, then file and line.
var frame = regexp.MustCompile(`(?m)^(\S.*)\(.*\)(?: in goroutine \d+)?\n\t(.+\.go):(\d+)`)

// userFrame returns the innermost position in the trace that the user can change: in their own
// module, else in any package outside the standard library. Without one it returns the directory of
// the definitions.
func (l loader) userFrame(pkg *packages.Package, trace string) string {
	var elsewhere string
	for _, f := range frame.FindAllStringSubmatch(trace, -1) {
		function, file, line := f[1], f[2], f[3]
		if strings.HasPrefix(function, bucketPath+".") || strings.HasPrefix(function, "main.") {
			continue
		}
		if line == "1" { // without code: the compiler attributes instructions of its own to it
			continue
		}
		place := l.relative(file) + ":" + line
		if pkg.Module != nil && inModule(pkg.Module.Dir, file) {
			return place
		}
		if first, _, _ := strings.Cut(function, "/"); elsewhere == "" && first != function && strings.Contains(first, ".") {
			elsewhere = place
		}
	}
	if elsewhere != "" {
		return elsewhere
	}
	return l.relative(l.Dir)
}

// inModule reports whether the file is in the directory of a module, and not a copy of another
// module there.
func inModule(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel) && !strings.HasPrefix(filepath.ToSlash(rel), "vendor/")
}
