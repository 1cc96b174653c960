package httpapi

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// watch ends what goes on, as streams do, when its key is revoked: it asks the database for all of
// them together, and only while there are any. It also bounds how many each key has. Safe for
// concurrent use.
type watch struct {
	keys keys
	log  *slog.Logger
	each int           // that a key may have
	pace time.Duration // between two questions

	mu      sync.Mutex
	open    map[int]map[*context.CancelFunc]bool // by the numbers of keys
	running bool
}

// watchPace is how often the database is asked for revoked keys. What it finds is ended within a
// second.
const watchPace = 400 * time.Millisecond

func newWatch(k keys, log *slog.Logger, each int) *watch {
	return &watch{keys: k, log: log, each: each, pace: watchPace, open: map[int]map[*context.CancelFunc]bool{}}
}

// enter adds one of a key, unless that has too many. cancel ends it when the key is revoked. The
// function that is returned takes it away.
func (w *watch) enter(k key, cancel context.CancelFunc) (leave func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.open[k.No]
	if len(of) >= w.each {
		return nil, false
	}
	if of == nil {
		of = map[*context.CancelFunc]bool{}
		w.open[k.No] = of
	}
	of[&cancel] = true
	if !w.running {
		w.running = true
		go w.run()
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(of, &cancel); len(of) == 0 {
			delete(w.open, k.No)
		}
	}, true
}

// run asks until nothing is open.
func (w *watch) run() {
	pause := time.NewTicker(w.pace)
	defer pause.Stop()
	for {
		<-pause.C
		numbers := w.numbers()
		if len(numbers) == 0 {
			return
		}
		w.ask(numbers)
	}
}

// numbers returns those of the keys that have something open. If there are none, run ends.
func (w *watch) numbers() []int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	numbers := make([]int32, 0, len(w.open))
	for no := range w.open {
		numbers = append(numbers, int32(no))
	}
	w.running = len(numbers) > 0
	return numbers
}

// ask ends what keys have open that are revoked. If the database does not answer, nothing ends.
func (w *watch) ask(numbers []int32) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	live, err := w.keys.Live(ctx, numbers)
	if err != nil {
		w.log.WarnContext(ctx, "key revocation check failed, retrying", "component", "streams", "error", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, no := range numbers {
		if slices.Contains(live, no) {
			continue
		}
		for end := range w.open[int(no)] {
			(*end)()
		}
	}
}
