package migrate_test

import (
	"os"
	"testing"

	"github.com/bucketgen/bucketgen/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
