package page

import (
	"context"

	"github.com/bucketgen/bucketgen/bucket"
)

var (
	AppActive    = bucket.Event("app.active")
	Unsubscribed = bucket.Bool("unsubscribed")
)

var mail struct {
	WinBack func(ctx context.Context, to string) error
}
