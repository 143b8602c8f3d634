package proxy

import (
	"time"

	"github.com/google/uuid"
)

// limitTime ends the call, wherever it stands, when its time is over. The flight may serve
// another request by then, so the news says which one it is for.
func (f *flight) limitTime() {
	total := f.alias.Total
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
