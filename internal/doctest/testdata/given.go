// Package page is what blocks of Go in the documentation may use without saying so.
package page

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bucketgen/bucketgen/bucket/buckettest"
	"github.com/bucketgen/bucketgen/engine"
)

var (
	ctx  context.Context
	pool *pgxpool.Pool
	e    *engine.Engine
	eng  *engine.Engine
	sim  *buckettest.Sim
	key  string
)
