package proxy

import (
	"errors"
	"time"

	"github.com/google/uuid"
)

// limitTime ends the call, wherever it stands, when its time is over. The flight may serve
// another request by then, so the news says which one it is for.
func (f *flight) limitTime() {
	total := shorter(f.alias.Total, f.key.Timeouts.Total)
	if total <= 0 {
		return
	}
	id := f.id
	f.overtime = time.AfterFunc(total-time.Since(f.start), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.timed == id {
			f.cancelLocked(errOvertime)
		}
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timed = id
}

// endTime calls the limit off.
func (f *flight) endTime() {
	if f.overtime == nil {
		return
	}
	f.overtime.Stop()
	f.overtime = nil
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timed = uuid.UUID{}
}

// prompt is the exchange, held to the alias' limit for the first byte, where it has one: a head alone is no
// answer.
func (f *flight) prompt() Exchange {
	if f.firstByte <= 0 {
		return f.reply.x
	}
	return &prompt{Exchange: f.reply.x, until: f.reply.since.Add(f.firstByte)}
}

type prompt struct {
	Exchange
	until time.Time // zero once a byte has come
}

// Read implements Exchange.
func (x *prompt) Read(p []byte) (int, error) {
	n, err := x.Exchange.Read(p)
	switch {
	case n > 0:
		x.until = time.Time{}
	case errors.Is(err, errSilent) && !x.until.IsZero() && !time.Now().Before(x.until):
		err = errFirstByte
	}
	return n, err
}
