package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Access is what a person must be allowed so that an operation is done.
type Access int

const (
	// Change needs the role admin. It is what operations need that are no GET.
	Change Access = iota

	// Read needs a person who sees everything. It is what a GET needs.
	Read

	// LookUp needs any person. What the answer has of users is masked for some, and each of their
	// looks is in the audit log.
	LookUp

	// Self needs any person. The answer is about that person.
	Self

	// Open needs no person.
	Open
)

const accessKey = "access"

// What operations say in their Metadata to need another access than by their method.
var (
	lookUp = map[string]any{accessKey: LookUp}
	self   = map[string]any{accessKey: Self}
	open   = map[string]any{accessKey: Open}
)

// accessOf returns what an operation needs.
func accessOf(op *huma.Operation) Access {
	if given, ok := op.Metadata[accessKey].(Access); ok {
		return given
	}
	if op.Method == http.MethodGet {
		return Read
	}
	return Change
}

// exchange is the request that an operation is done for, and the writer of its answer.
type exchange struct {
	writer  http.ResponseWriter
	request *http.Request
}

type exchangeKey struct{}

// exchangeOf returns the exchange of the context of an operation.
func exchangeOf(ctx context.Context) exchange {
	e, _ := ctx.Value(exchangeKey{}).(exchange)
	return e
}
