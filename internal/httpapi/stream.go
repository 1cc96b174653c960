package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/internal/manage"
	"github.com/bucketgen/bucketgen/internal/problem"
)

// streams is the part of the HTTP API that streams transitions as server-sent events.
type streams struct {
	engine  *engine.Engine
	auth    *auth
	config  Config
	room    chan struct{} // holds a token for every stream that is open
	watch   *watch
	servers sync.Map // of those that serve streams: channels that are closed when they shut down
}

func newStreams(e *engine.Engine, a *auth, log *slog.Logger, l Config) *streams {
	return &streams{engine: e, auth: a, config: l, room: make(chan struct{}, l.Streams), watch: newWatch(a.keys, log, l.StreamsKey)}
}

// route adds the route.
func (s *streams) route(mux *http.ServeMux) {
	mux.Handle("GET "+manage.StreamPath, s.auth.pass(readKey, s.serve))
}

// serve sends transitions until the client goes or takes too long, its key is revoked, or the
// server shuts down.
func (s *streams) serve(w http.ResponseWriter, r *http.Request, k key) {
	o, err := s.options(r)
	if p, refused := errors.AsType[*problem.Problem](err); refused {
		p.Answer(w)
		return
	}
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	default:
		problem.Later(http.StatusServiceUnavailable, fmt.Sprintf("%d streams are open, and there is no room for more", s.config.Streams), 10*time.Second).Answer(w)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	leave, ok := s.watch.enter(k, cancel)
	if !ok {
		problem.Later(http.StatusTooManyRequests, fmt.Sprintf("the key %q has %d streams open, and may have no more", k.Name, s.config.StreamsKey), 10*time.Second).Answer(w)
		return
	}
	defer leave()
	go func() {
		select {
		case <-s.closing(r):
			cancel()
		case <-ctx.Done():
		}
	}()
	t := &stream{ResponseWriter: w, control: http.NewResponseController(w), patience: s.config.Patience}
	wanted := wantedOf(r)
	for item, err := range s.engine.Feed(ctx, o) {
		if err == nil {
			err = t.send(wanted.only(item))
		}
		if err != nil {
			s.end(ctx, t, err)
			return
		}
	}
}

// end says why there is no stream, if none has begun.
func (s *streams) end(ctx context.Context, t *stream, err error) {
	switch {
	case t.begun || ctx.Err() != nil:
	case errors.Is(err, engine.ErrCursor):
		problem.New(http.StatusBadRequest, "the cursor is ahead of the database; begin without one").Answer(t)
	case errors.Is(err, engine.ErrStopped):
		problem.Later(http.StatusServiceUnavailable, "the server is about to stop", time.Second).Answer(t)
	default:
		s.auth.notices.failed(ctx, "stream failed to start", err)
		problem.Later(http.StatusServiceUnavailable, "the stream could not begin", time.Second).Answer(t)
	}
}

// options reads what a stream sends, and from where on.
func (s *streams) options(r *http.Request) (engine.FeedOptions, error) {
	o := engine.FeedOptions{Beat: s.config.Beat}
	query := r.URL.Query()
	for _, id := range query["bucket"] {
		ref, known := s.engine.Registry().Ref(id)
		if !known {
			return o, problem.New(http.StatusNotFound, fmt.Sprintf("there is no bucket %q", id))
		}
		o.Buckets = append(o.Buckets, ref)
	}
	for _, kind := range query["kind"] {
		o.Notices = o.Notices || kind == string(engine.Merged)
		if !slices.Contains(kinds, kind) {
			p := problem.New(http.StatusBadRequest, fmt.Sprintf("is %q; use entered, left, dwell or merged", short(kind)))
			p.Field = "kind"
			return o, p
		}
	}
	if text := query.Get("pace"); text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || ms < 0 || ms > time.Minute.Milliseconds() {
			return o, problem.Of(http.StatusBadRequest, "pace", fmt.Sprintf("is %q; use milliseconds from 0 to 60000", short(text)))
		}
		o.Pace = time.Duration(ms) * time.Millisecond
	}
	where, after := "Last-Event-ID", r.Header.Get("Last-Event-ID") // of a client that comes back: it is the newer one
	if after == "" {
		where, after = "after", query.Get("after")
	}
	var err error
	if o.After, err = engine.ParseCursor(after); err != nil {
		p := problem.New(http.StatusBadRequest, err.Error())
		p.Field = where
		return o, p
	}
	return o, nil
}

// wanted is which transitions a stream sends, of those of its buckets.
type wanted struct {
	kinds []string // nil: all
	user  string   // empty: all
}

func wantedOf(r *http.Request) wanted {
	query := r.URL.Query()
	w := wanted{query["kind"], query.Get("user")}
	if kind := query.Get("by"); kind != "" && w.user != "" {
		w.user = engine.By(kind, w.user)
	}
	return w
}

// only returns an item, without what happened if that is not wanted: then the client only stores
// where to continue.
func (w wanted) only(item engine.FeedItem) engine.FeedItem {
	t := item.Transition
	if t != nil && (w.user != "" && nameOf(t.Who()) != w.user || len(w.kinds) > 0 && !slices.Contains(w.kinds, string(t.Kind))) {
		item.Transition = nil
	}
	if n := item.Notice; n != nil && w.user != "" && nameOf(*n.From) != w.user && nameOf(*n.Into) != w.user {
		item.Notice = nil
	}
	return item
}

func nameOf(id engine.ID) string { return engine.By(id.Kind, id.Value) }

// kinds are those of what a stream sends.
var kinds = []string{string(engine.Entered), string(engine.Left), string(engine.Dwell), string(engine.Merged)}

// closing returns a channel that is closed when the server of a request shuts down: it waits for
// requests, and streams do not end by themselves.
func (s *streams) closing(r *http.Request) <-chan struct{} {
	server, known := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !known {
		return nil
	}
	made := make(chan struct{})
	if before, loaded := s.servers.LoadOrStore(server, made); loaded {
		return before.(chan struct{}) //nolint:forcetypeassert // nothing else is stored
	}
	server.RegisterOnShutdown(func() { close(made) })
	return made
}

// stream is an answer that goes on.
type stream struct {
	http.ResponseWriter

	control  *http.ResponseController
	patience time.Duration
	begun    bool
}

// retry is after how long clients come back whose connection was lost, in milliseconds.
const retry = 1000

// send sends an item of the feed. A client that does not take it in time gets no more: what it has
// missed it gets when it comes back.
func (t *stream) send(item engine.FeedItem) error {
	// The deadlines of the server are for requests that end. Where a writer has none, there is none
	// to be moved.
	if err := t.control.SetWriteDeadline(time.Now().Add(t.patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if !t.begun {
		t.begun = true
		if err := t.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		t.Header().Set("Content-Type", "text/event-stream")
		t.Header().Set("Cache-Control", "no-store")
		t.Header().Set("X-Accel-Buffering", "no") // nginx
		if _, err := fmt.Fprintf(t, "retry: %d\n", retry); err != nil {
			return err
		}
	}
	if err := t.write(item); err != nil || item.More { // what was committed together is sent together
		return err
	}
	return t.control.Flush()
}

// write writes an event, or, where nothing has happened, only from where to continue: clients store
// that and report nothing.
func (t *stream) write(item engine.FeedItem) error {
	name := "person.merged"
	switch {
	case item.Transition != nil:
		name = "bucket." + string(item.Transition.Kind)
	case item.Notice == nil:
		_, err := fmt.Fprintf(t, ": nothing happens\nid: %s\n\n", item.Cursor)
		return err
	}
	data, err := item.JSON()
	if err == nil {
		_, err = fmt.Fprintf(t, "id: %s\nevent: %s\ndata: %s\n\n", item.Cursor, name, data)
	}
	return err
}
