// Package gen is what bucketgen writes for the definitions of docs/reference/criteria.md, as far as
// that page uses it.
package gen

import (
	"github.com/bucketgen/bucketgen"
	"github.com/bucketgen/bucketgen/registry"
)

var Properties = struct{ Plan registry.TextProperty }{registry.NewTextProperty("plan")}

type PurchaseEvent struct {
	Amount  *float64
	Product *string
}

func (PurchaseEvent) By(userID string) bucketgen.Event { return bucketgen.Event{UserID: userID} }

func (PurchaseEvent) In(ev bucketgen.Event) bucketgen.Event { return ev }
