package defect

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Of one cause the first few are worth a look, and then one a minute says that it goes on.
const (
	causeBurst = 3
	causeEvery = time.Minute
	maxCauses  = 256
	otherCause = ""
)

// pace bounds what is sent, of each cause and of all.
type pace struct {
	mu      sync.Mutex
	all     *rate.Limiter
	causes  map[string]*cause
	dropped atomic.Int64
}

type cause struct {
	limit *rate.Limiter
	held  int64 // since the last one that was sent
}

func newPace(perMinute int) *pace {
	return &pace{all: rate.NewLimiter(rate.Limit(float64(perMinute)/time.Minute.Seconds()), perMinute), causes: map[string]*cause{}}
}

// allow reports whether one of a cause may be sent, and how many of it were not before.
func (p *pace) allow(of string, now time.Time) (before int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.find(of, now)
	if !c.limit.AllowN(now, 1) || !p.all.AllowN(now, 1) {
		c.held++
		p.dropped.Add(1)
		return 0, false
	}
	before, c.held = c.held, 0
	return before, true
}

// find gives a cause; past maxCauses those that were quiet for long make room, and others share one.
func (p *pace) find(of string, now time.Time) *cause {
	c := p.causes[of]
	if c == nil && len(p.causes) >= maxCauses {
		for name, other := range p.causes {
			if other.limit.TokensAt(now) >= causeBurst && other.held == 0 {
				delete(p.causes, name)
			}
		}
		if len(p.causes) >= maxCauses {
			of = otherCause
			c = p.causes[of]
		}
	}
	if c == nil {
		c = &cause{limit: rate.NewLimiter(rate.Every(causeEvery), causeBurst)}
		p.causes[of] = c
	}
	return c
}
