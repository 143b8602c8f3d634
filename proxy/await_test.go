package proxy

import (
	"errors"
	"testing"
	"time"
)

func TestAwait(t *testing.T) {
	const long = time.Hour // nobody waits so long: something else ends the wait
	gone := &flight{}
	gone.cancel(errClientGone)
	if err := gone.await(long, nil); !errors.Is(err, errClientGone) {
		t.Errorf("a client that had left: %v", err)
	}
	var f flight
	if err := f.await(0, nil); err != nil {
		t.Error(err)
	}
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	if err := f.await(long, wake); err != nil {
		t.Error(err)
	}
	if err := f.await(time.Nanosecond, nil); err != nil {
		t.Error(err)
	}
	ended := make(chan error)
	go func() { ended <- f.await(long, nil) }()
	f.cancel(errDraining)
	f.cancel(errClientGone) // the first counts
	if err := <-ended; !errors.Is(err, errDraining) {
		t.Errorf("ended with %v", err)
	}
}
