package engine

import (
	"testing"
	"time"
)

// TestForgetEvery checks that what is kept for a short time goes soon after it.
func TestForgetEvery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		config Config
		want   time.Duration
	}{
		{Config{}, 6 * time.Minute},
		{Config{FeedAge: 24 * time.Hour}, 10 * time.Minute},
		{Config{JobAge: time.Minute}, 6 * time.Second},
		{Config{AuditAge: time.Second}, time.Second},
		{Config{DeadLetterAge: 20 * time.Second}, 2 * time.Second},
	} {
		e := &Engine{config: tc.config.withDefaults()}
		if got := e.forgetEvery(); got != tc.want {
			t.Errorf("%+v: got %v, want %v", tc.config, got, tc.want)
		}
	}
}
