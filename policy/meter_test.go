package policy_test

import (
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func TestMeter(t *testing.T) {
	storagetest.Counters(t, func(*testing.T) (policy.Counters, storagetest.Clock) {
		clock := storagetest.NewClock()
		return policy.NewMeter(policy.MeterOptions{Leak: 1, Now: clock.Now}), clock
	})
}
