package httpapi

import (
	"encoding/json"
	"net/http"
)

// reply writes an answer to a request that was done.
func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_ = out.Encode(body) //nolint:errchkjson // the client may have gone
}
