package page

import "net/http"

var (
	w http.ResponseWriter
	r *http.Request
)
