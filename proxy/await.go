package proxy

import "time"

// await waits until wake says that there is something to look at, or for at most d. It gives why
// the flight was cancelled meanwhile, nil where it was not: nobody waits for a client that left.
func (f *flight) await(d time.Duration, wake <-chan struct{}) error {
	gone, err := f.alarm()
	if err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-gone:
		return f.left()
	case <-wake:
	case <-timer.C:
	}
	return nil
}

// alarm gives a channel that is closed when the flight is cancelled.
func (f *flight) alarm() (<-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone == nil && f.bell == nil {
		f.bell = make(chan struct{})
	}
	return f.bell, f.gone
}
