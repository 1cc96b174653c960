package store_test

import (
	"strings"
	"testing"

	"github.com/bucketgen/bucketgen/internal/store"
)

func TestCheckServer(t *testing.T) {
	t.Parallel()
	for number, ok := range map[int32]bool{90624: false, 140023: false, 149999: false, 150000: true, 150018: true, 180001: true} {
		err := store.CheckServer(number, "of a test")
		if (err == nil) != ok {
			t.Errorf("%d: got %v", number, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "PostgreSQL of a test") || !strings.Contains(err.Error(), "PostgreSQL 15 or later")) {
			t.Errorf("%d: got %v, want both versions", number, err)
		}
	}
}
