package bucketgen

import (
	"fmt"
	"strconv"
	"time"
)

// CatalogKind says what a name of the catalog names.
type CatalogKind string

// The kinds of names.
const (
	CatalogEvent    CatalogKind = "event"
	CatalogField    CatalogKind = "field"    // of the payload of an event
	CatalogProperty CatalogKind = "property" // of users
)

// Drift is a difference between what is declared and what arrives.
type Drift struct {
	DriftName

	Kind  DriftKind   `json:"kind"`
	Types []string    `json:"types,omitempty"` // that are declared
	Seen  string      `json:"seen,omitempty"`  // the type that arrived instead, of mistyped
	Count int64       `json:"count"`           // how often it arrived
	Since time.Time   `json:"since,omitzero"`
	Last  time.Time   `json:"last,omitzero"`
	Near  []DriftName `json:"near,omitempty"`
	Says  string      `json:"says"` // all of that in words; names are in quotes
}

// DriftName is a name with its kind.
type DriftName struct {
	Of    CatalogKind `json:"of"`
	Event string      `json:"event,omitempty"`
	Name  string      `json:"name,omitempty"`
}

// String returns the name as people read it.
func (n DriftName) String() string {
	switch n.Of {
	case CatalogEvent:
		return "event " + strconv.Quote(n.Event)
	case CatalogField:
		return fmt.Sprintf("field %s of event %q", quoted(n.Name), n.Event)
	default:
		return "property " + quoted(n.Name)
	}
}

// quoted puts a name in quotes unless it is a plain word.
func quoted(name string) string {
	for _, c := range name {
		if c != '_' && c != '.' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return strconv.Quote(name)
		}
	}
	return name
}

// DriftKind is a kind of drift.
type DriftKind string

// The kinds of drift.
const (
	// DriftMistyped is a declared field or property whose values arrive as another type. Types are
	// strict: such a value matches nothing.
	DriftMistyped DriftKind = "mistyped"

	// DriftUnseen is a declared name that has not arrived.
	DriftUnseen DriftKind = "unseen"

	// DriftMisspelt is a name that arrives and is not declared, but is near one that is.
	DriftMisspelt DriftKind = "misspelt"
)
