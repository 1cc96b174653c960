package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// problem is what is wrong with a request, as RFC 9457 has it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Field  string `json:"field,omitempty"` // of the event that was refused

	retryAfter time.Duration
}

func (p *problem) Error() string { return p.Detail }

// trouble returns a problem.
func trouble(status int, detail string) *problem {
	return &problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

// later returns a problem that is over after a while.
func later(status int, detail string, after time.Duration) *problem {
	p := trouble(status, detail)
	p.retryAfter = after
	return p
}

// answer writes a problem.
func (p *problem) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="bucketgen"`)
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) //nolint:errchkjson // whoever asked may have gone
}

// reply writes an answer to a request that was done.
func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // as above
}
