package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/engine"
	"github.com/bucketgen/bucketgen/engine/server"
	"github.com/bucketgen/bucketgen/engine/studio"
	"github.com/bucketgen/bucketgen/internal/apikey"
	"github.com/bucketgen/bucketgen/internal/session"
)

// site is a server with Studio in process, and a person who is signed in.
type site struct {
	*httptest.Server

	engine     *engine.Engine
	pool       *pgxpool.Pool
	key        string        // key is an API key for the operations.
	cookie     *http.Cookie  // cookie is that of the session.
	statements *atomic.Int64 // statements counts those of the requests.
	pace       time.Duration // pace is that of the streams.
}

const prefix = "/studio"

func serve(ctx context.Context, e *engine.Engine, pool *pgxpool.Pool) (*site, error) {
	k, err := apikey.Store{Pool: pool, Schema: "bucketgen"}.Create(ctx, "bench", apikey.Admin, 0)
	if err != nil {
		return nil, err
	}
	secret, err := session.Store{Pool: pool, Schema: "bucketgen", Now: e.Now}.Begin(ctx, k.No)
	if err != nil {
		return nil, err
	}
	api := server.NewHandler(e, pool, "bucketgen", server.HTTP{}, slog.New(slog.DiscardHandler))
	page, err := studio.New(api, studio.Config{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	//nolint:gosec // a client sends this cookie, without attributes
	s := &site{engine: e, pool: pool, key: k.Secret, cookie: &http.Cookie{Name: "bucketgen", Value: secret}, statements: &atomic.Int64{}}
	s.Server = httptest.NewServer(counting(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix+"/") {
			page.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}), s.statements))
	return s, nil
}

// Close stops the server.
func (s *site) Close() {
	s.CloseClientConnections()
	s.Server.Close()
}

// request returns a request of a signed-in browser for a page, or of a program for an operation.
func (s *site) request(ctx context.Context, address string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+address, http.NoBody)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(address, prefix) {
		r.AddCookie(s.cookie)
		if strings.Contains(address, "part=") || strings.HasSuffix(address, "/strip") {
			r.Header.Set("Hx-Request", "true")
		}
	} else {
		r.Header.Set("Authorization", "Bearer "+s.key)
	}
	return r, nil
}

// answer is how a request was answered.
type answer struct {
	firstByte  time.Duration
	statements int64
	body       []byte
}

// get asks for a page or an operation.
func (s *site) get(ctx context.Context, address string) (answer, error) {
	var a answer
	before, began := s.statements.Load(), time.Now()
	trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { a.firstByte = time.Since(began) }}
	r, err := s.request(httptrace.WithClientTrace(ctx, trace), address)
	if err != nil {
		return a, err
	}
	response, err := s.Client().Do(r)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return a, err
	}
	a.statements = s.statements.Load() - before
	if response.StatusCode != http.StatusOK {
		return a, fmt.Errorf("%s: %s\n%s", address, response.Status, a.body)
	}
	return a, nil
}

// cursor returns the cursor of a page of the list of buckets, counted from 1, with 50 on a page.
func (s *site) cursor(ctx context.Context, page int, query url.Values) (string, error) {
	after, left := "", (page-1)*onPage
	for left > 0 {
		q := url.Values{"limit": {strconv.Itoa(min(left, longest))}, "after": {after}}
		maps.Copy(q, query)
		if after == "" {
			q.Del("after")
		}
		a, err := s.get(ctx, "/v1/buckets?"+q.Encode())
		if err != nil {
			return "", err
		}
		var list struct {
			Next string `json:"next"`
		}
		if err := json.Unmarshal(a.body, &list); err != nil {
			return "", err
		}
		left -= longest
		if after = list.Next; after == "" {
			return "", fmt.Errorf("there is no page %d of buckets", page)
		}
	}
	return after, nil
}

const (
	onPage  = 50   // onPage is how many buckets a page of Studio has
	longest = 1000 // longest is how many an answer of the API has
)
