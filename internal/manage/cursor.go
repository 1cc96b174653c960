package manage

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/bucketgen/bucketgen/internal/problem"
)

// descending is the order of lists that are turned around.
const descending = "desc"

// cursor is where a page of a list begins, in an opaque form that clients hand back.
func cursor(list string, after int64) string {
	if after == 0 {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(list + " " + strconv.FormatInt(after, 10)))
}

// after returns where a page begins.
func (p *Page) after(list string) (int64, error) {
	if p.After == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.After)
	if digits, ok := strings.CutPrefix(string(text), list+" "); err == nil && ok {
		if after, err := strconv.ParseInt(digits, 10, 64); err == nil && after > 0 && cursor(list, after) == p.After {
			return after, nil
		}
	}
	return 0, errCursor()
}

// keyCursor is the cursor of a list whose pages begin after a key; empty if the list has ended.
func keyCursor[K any](list string, after *K) string {
	if after == nil {
		return ""
	}
	text, err := json.Marshal(after)
	if err != nil {
		return "" // no key has what JSON does not
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte(list+" "), text...))
}

// keyAfter returns the key after which a page begins; nil at the beginning of the list.
func keyAfter[K any](p *Page, list string) (*K, error) {
	if p.After == "" {
		return nil, nil //nolint:nilnil // a list begins without a key
	}
	text, err := base64.RawURLEncoding.DecodeString(p.After)
	if text, ok := bytes.CutPrefix(text, []byte(list+" ")); err == nil && ok {
		key := new(K)
		if err := json.Unmarshal(text, key); err == nil && keyCursor(list, key) == p.After {
			return key, nil
		}
	}
	return nil, errCursor()
}

func errCursor() *problem.Problem {
	return problem.Of(http.StatusBadRequest, "after", "is no cursor of this list; use what next was on the page before, or leave it out")
}
