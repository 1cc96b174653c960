package load

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/packages"
)

func TestCutPanic(t *testing.T) {
	t.Parallel()
	const trace = "goroutine 1 [running]:\nmain.main()\n\t/tmp/main.go:3\n"
	tests := map[string]struct {
		stderr, message string
		panicked        bool
	}{
		"panic":        {"panic: no plan\n\n" + trace, "no plan", true},
		"after output": {"hello panic: not yet\npanic: no plan\n\n" + trace, "no plan", true},
		"error":        {"panic: open x: no such file\nwhy: because\n\n" + trace, "open x: no such file\nwhy: because", true},
		"signal":       {"panic: runtime error: nil\n[signal SIGSEGV: segmentation violation code=0x1]\n\n" + trace, "runtime error: nil", true},
		"again":        {"panic: first [recovered]\n\tpanic: second\n\n" + trace, "first", true},
		"fatal":        {"fatal error: all goroutines are asleep - deadlock!\n\n" + trace, "all goroutines are asleep - deadlock!", true},
		"overflow":     {"runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\n\n" + trace, "stack overflow", true},
		"none":         {"no panic: really\n", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message, rest, panicked := cutPanic(tt.stderr)
			if message != tt.message || panicked != tt.panicked {
				t.Errorf("got %q, %t, want %q, %t", message, panicked, tt.message, tt.panicked)
			}
			if panicked && len(rest) < len(trace) {
				t.Errorf("the trace is only %q", rest)
			}
		})
	}
}

func TestUserFrame(t *testing.T) {
	t.Parallel()
	root := filepath.FromSlash("/home/me/host")
	l := loader{Config{Dir: filepath.Join(root, "buckets"), WorkDir: root}}
	pkg := &packages.Package{Module: &packages.Module{Dir: root}}
	const (
		std     = "regexp.MustCompile({0x1, 0x2})\n\t/usr/local/go/src/regexp/regexp.go:317 +0xaf\n"
		ours    = bucketPath + ".Define(...)\n\t/home/me/go/pkg/mod/github.com/bucketgen/bucketgen@v1.0.0/bucket/define.go:9\n"
		dep     = "example.org/dep.F(0x1)\n\t/home/me/go/pkg/mod/example.org/dep@v1.0.0/f.go:3 +0x1\n"
		vendor  = "example.org/dep.F(0x1)\n\t/home/me/host/vendor/example.org/dep/f.go:4 +0x1\n"
		user    = "host/buckets.name(...)\n\t/home/me/host/buckets/x.go:12\n"
		outer   = "host/buckets.init()\n\t/home/me/host/buckets/y.go:5 +0x1d\n"
		program = "main.main()\n\t/home/me/host/buckets/bucketgen_loader/main.go:12 +0x1d\n"
	)
	tests := map[string]struct{ trace, want string }{
		"innermost of the user":  {std + ours + user + outer, "buckets/x.go:12"},
		"before a dependency":    {dep + user + outer, "buckets/x.go:12"},
		"before a vendored one":  {vendor + outer, "buckets/y.go:5"},
		"only a dependency":      {std + dep, "../go/pkg/mod/example.org/dep@v1.0.0/f.go:3"},
		"only a vendored one":    {std + vendor, "vendor/example.org/dep/f.go:4"},
		"another goroutine":      {"host/buckets.init.0.func1()\n\t/home/me/host/buckets/z.go:7 +0x1\ncreated by host/buckets.init.0 in goroutine 1\n\t/home/me/host/buckets/z.go:6 +0x1\n", "buckets/z.go:7"},
		"nothing but the loader": {std + program, "buckets"},
		"nothing":                {"", "buckets"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := filepath.ToSlash(l.userFrame(pkg, tt.trace)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDedent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"none":    {"A is\nit.\n", "A is\nit.\n"},
		"all":     {"\tA is\n\n\t\tcode\n\tit.\n", "A is\n\n\tcode\nit.\n"},
		"partial": {"A is\n\tcode\n", "A is\n\tcode\n"},
		"empty":   {"", ""},
	}
	for name, tt := range tests {
		if got := dedent(tt.text); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
