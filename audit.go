package bucketgen

import "time"

// AuditEntry is an entry of the audit log: a change that a person made, or a look of a person whom
// data are masked for.
type AuditEntry struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`            // the name of the person: of a key, or of the host's sign-in
	Key      int       `json:"key,omitempty"` // the number of the key; 0: none
	Via      string    `json:"via"`           // api or cli
	Action   string    `json:"action"`        // the operation of the API, or the command
	BucketID string    `json:"bucketId,omitempty"`
	UserID   string    `json:"userId,omitempty"`
	Object   string    `json:"object,omitempty"` // the webhook, key, job or deployment
	Detail   string    `json:"detail,omitempty"`
	Outcome  string    `json:"outcome,omitempty"` // done, refused or failed; empty: it is under way, or its process died
}

// What came of an entry of the audit log.
const (
	AuditDone    = "done"
	AuditRefused = "refused" // the request was wrong
	AuditFailed  = "failed"
)

// AuditFilter says which entries of the audit log to read. The zero value is all.
type AuditFilter struct {
	By       string // the name of the person
	Action   string
	BucketID string
	UserID   string
}
