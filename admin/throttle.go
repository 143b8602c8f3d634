package admin

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often somebody may try to sign in: so often at once, and then once in each span. Of a name
// less than of an address, which may be that of a whole office.
const (
	triesOfName    = 5
	everyOfName    = 30 * time.Second
	triesOfAddress = 20
	everyOfAddress = 3 * time.Second
)

// mostWatched bounds what a throttle remembers. Past it the longest unseen are forgotten.
const mostWatched = 10_000

// throttle slows down guessing. It is of one process; a client that finds two has twice the tries.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	watched map[string]*watch
}

type watch struct {
	limiter *rate.Limiter
	seen    time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, watched: map[string]*watch{}}
}

// wait gives how long a name and an address have to wait before they may try; 0 is that they may,
// which counts as a try of both.
func (t *throttle) wait(name, address string) time.Duration {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	return take(now, t.of("name "+name, triesOfName, everyOfName, now), t.of("address "+address, triesOfAddress, everyOfAddress, now))
}

// waitOfStranger is wait for an address from which somebody comes back from the identity provider
// whom nobody knows. It is apart from the tries of passwords: neither may use up the other's.
func (t *throttle) waitOfStranger(address string) time.Duration {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	return take(now, t.of("stranger "+address, triesOfAddress, everyOfAddress, now))
}

// take counts a try of all, unless one of them has to wait.
func take(now time.Time, tries ...*rate.Limiter) time.Duration {
	var longest time.Duration
	taken := make([]*rate.Reservation, 0, len(tries))
	for _, l := range tries {
		r := l.ReserveN(now, 1)
		taken = append(taken, r)
		longest = max(longest, r.DelayFrom(now))
	}
	if longest > 0 {
		for _, r := range taken {
			r.CancelAt(now)
		}
	}
	return longest
}

func (t *throttle) of(who string, tries int, every time.Duration, now time.Time) *rate.Limiter {
	w := t.watched[who]
	if w == nil {
		if len(t.watched) >= mostWatched {
			t.forget()
		}
		w = &watch{limiter: rate.NewLimiter(rate.Every(every), tries)}
		t.watched[who] = w
	}
	w.seen = now
	return w.limiter
}

// forget drops who was not seen for the longest time.
func (t *throttle) forget() {
	var oldest string
	var at time.Time
	for who, w := range t.watched {
		if oldest == "" || w.seen.Before(at) {
			oldest, at = who, w.seen
		}
	}
	delete(t.watched, oldest)
}

// forgive forgets the tries of a name that has signed in.
func (t *throttle) forgive(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.watched, "name "+name)
}
