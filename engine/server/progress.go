package server

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a replay is: a bar on a terminal, a line now and then elsewhere.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil if the output is no terminal
	size int64
	now  func() time.Time

	mu    sync.Mutex
	read  int64
	began time.Time
	last  time.Time
}

// newProgress returns the progress through an input of so many bytes, or of nobody knows how many if it is negative.
func newProgress(out io.Writer, size int64) *progress {
	p := &progress{out: out, size: size, now: time.Now}
	p.began = p.now()
	p.last = p.began
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("replay"), progressbar.OptionShowBytes(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	return p
}

// reader counts what is read of the input.
func (p *progress) reader(in io.Reader) io.Reader { return &countingReader{in, p} }

type countingReader struct {
	io.Reader
	progress *progress
}

// Read reads and counts.
func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.progress.bytes(n)
	return n, err
}

func (p *progress) bytes(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read += int64(n)
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

// events is called with the number of events that were taken in so far.
func (p *progress) events(n int64) {
	const every = 5 * time.Second
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("replay, %d events", n))
		return
	}
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	share := ""
	if p.size > 0 {
		share = fmt.Sprintf(", %d%% of the input", 100*p.read/p.size)
	}
	fmt.Fprintf(p.out, "%d events%s, %.0f/s\n", n, share, float64(n)/now.Sub(p.began).Seconds())
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
