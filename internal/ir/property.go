package ir

import "time"

// Operator compares a property with an operand, or a count with a number.
type Operator string

// The operators. Counts use Eq, Gt, Gte, Lt and Lte.
const (
	Eq        Operator = "eq"
	Neq       Operator = "neq"
	Gt        Operator = "gt"
	Gte       Operator = "gte"
	Lt        Operator = "lt"
	Lte       Operator = "lte"
	Exists    Operator = "exists"
	NotExists Operator = "not_exists"

	In      Operator = "in"      // Values, of texts or numbers
	NotIn   Operator = "not_in"  // Values
	Between Operator = "between" // Values: the least and the greatest, of numbers or times

	Contains  Operator = "contains"
	HasPrefix Operator = "has_prefix"
	HasSuffix Operator = "has_suffix"
	Matches   Operator = "matches" // an RE2 pattern

	Before      Operator = "before" // an instant
	After       Operator = "after"
	InTheLast   Operator = "in_the_last" // Span before now
	MoreThanAgo Operator = "more_than_ago"
	InTheNext   Operator = "in_the_next"
	Today       Operator = "today" // in Zone
	ThisWeek    Operator = "this_week"
	ThisMonth   Operator = "this_month"

	HasAny        Operator = "has_any"   // Values: texts in a list
	HasAll        Operator = "has_all"   // Values
	LengthIs      Operator = "length_is" // Count elements in a list
	LengthAtLeast Operator = "length_at_least"
	LengthAtMost  Operator = "length_at_most"

	HasBeen Operator = "has_been" // Value, for Span
	Changed Operator = "changed"  // From, To, within Span
)

// PropertyCheck compares a property of the contact, or a field of an event's payload.
type PropertyCheck struct {
	Name       string        `json:"name"`
	Path       []string      `json:"path,omitempty"`        // to the value, through objects; empty: the property itself
	Event      string        `json:"event,omitempty"`       // event whose payload has the field; empty: a property of the contact
	TraitsOnly bool          `json:"traits_only,omitempty"` // as the property is declared
	Type       Type          `json:"type,omitempty"`
	Operator   Operator      `json:"operator"`
	Fold       bool          `json:"fold,omitempty"` // ignores letter case in Eq, In, Contains, HasPrefix, HasSuffix
	Value      *Value        `json:"value,omitempty"`
	Values     []*Value      `json:"values,omitempty"`
	From       *Value        `json:"from,omitempty"` // nil: from any value
	To         *Value        `json:"to,omitempty"`   // nil: to any value
	Span       time.Duration `json:"span,omitempty"`
	Count      int           `json:"count,omitempty"`
	Zone       string        `json:"zone,omitempty"`
}
