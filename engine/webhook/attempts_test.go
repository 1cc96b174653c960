package webhook_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bucketgen/bucketgen/engine/webhook"
)

// TestAttempts lists what was posted to each endpoint and what came of it, in pages and up to the
// bound, and nothing of what an endpoint answered or was sent.
func TestAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r, closed := newReceiver(t), newReceiver(t)
	closed.Close()
	w.endpoint("crm", r.URL)
	w.endpoint("closed", closed.URL)
	few := local
	few.Attempts, few.Poll = 3, 10*time.Millisecond
	w.serve(few)
	list := func(which string, before int64, size int) ([]webhook.Attempt, int64) {
		t.Helper()
		page, next, err := w.hooks.Attempts(t.Context(), which, before, size)
		must(t, err)
		return page, next
	}
	r.answers(http.StatusInternalServerError)
	w.joins("ada")
	eventually(t, func() bool { all, _ := list("crm", 0, 10); return len(all) == 1 })
	all, _ := list("1", 0, 10)
	equal(t, "the first", []any{all[0].Status, all[0].Taken, all[0].Transitions, all[0].Error}, []any{500, false, 1, "answered 500 Internal Server Error"})
	equal(t, "at", all[0].At, w.Time.Now().Truncate(time.Microsecond))
	r.answers(http.StatusNoContent)
	for _, user := range []string{"bob", "cy", "dee", "eve"} {
		w.joins(user)
	}
	eventually(t, func() bool {
		all, _ = list("crm", 0, 10)
		return len(all) == 3 && all[0].Taken && all[1].Taken && all[2].Taken
	})
	var last int64
	eventually(t, func() bool { // the last of the four may still come
		all, _ = list("crm", 0, 10)
		page, next := list("crm", 0, 2)
		var rest []webhook.Attempt
		rest, last = list("crm", next, 2)
		return len(all) == 3 && reflect.DeepEqual(append(page, rest...), all)
	})
	equal(t, "last page", last, int64(0))
	eventually(t, func() bool { all, _ = list("closed", 0, 10); return len(all) == 3 })
	if all[0].Status != 0 || all[0].Taken || !strings.HasSuffix(all[0].Error, "connection refused") {
		t.Errorf("no answer: got %+v", all[0])
	}
	if n := w.count("select count(*) from bucketgen.endpoint_attempts where error like '%this is%'"); n > 0 {
		t.Errorf("%d attempts have what the endpoint answered", n)
	}
	_, err := w.hooks.Delete(t.Context(), "closed")
	must(t, err)
	eventually(t, func() bool {
		return w.count("select count(*) from bucketgen.endpoint_attempts where endpoint_no = 2") == 0
	})
	if _, _, err := w.hooks.Attempts(t.Context(), "closed", 0, 10); !errors.Is(err, webhook.ErrUnknownEndpoint) {
		t.Errorf("a deleted endpoint: got %v", err)
	}
}

// TestAttemptsOff keeps none.
func TestAttemptsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pro)
	r := newReceiver(t)
	w.endpoint("crm", r.URL)
	none := local
	none.Attempts = -1
	_, s := w.serve(none)
	w.joins("ada")
	r.got(t, 1)
	must(t, s.Stop(t.Context())) // which writes what was attempted
	equal(t, "attempts", w.count("select count(*) from bucketgen.endpoint_attempts"), 0)
}
