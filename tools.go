//go:build tools

package bucketgen

import (
	_ "github.com/sqlc-dev/sqlc/cmd/sqlc"
)
