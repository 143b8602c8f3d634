package redis

import (
	"context"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// serverClock is the server's clock, which runs by itself, set forward for the counters.
type serverClock struct{ c *Counters }

func (s serverClock) Now() time.Time { return s.c.now() }
func (s serverClock) Advance(d time.Duration) {
	s.c.shift.Add(int64((d + time.Second - 1) / time.Second))
}

// open makes counters on an empty database.
func open(t testing.TB, o Options) *Counters {
	t.Helper()
	if o.URL.Empty() {
		o.URL = storage.NewSecret(storagetest.Redis(t))
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second // what is tested is not how fast this machine is
	}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestCounters(t *testing.T) {
	storagetest.Counters(t, func(t *testing.T) (policy.Counters, storagetest.Clock) {
		c := open(t, Options{})
		return c, serverClock{c}
	})
}
