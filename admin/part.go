package admin

import (
	"strings"
	"sync"
	"time"
)

// Part is a part of the gateway and how it does.
type Part struct {
	Name  string    `json:"name"`
	State PartState `json:"state" enum:"ok,degraded,down" doc:"degraded: the node serves, and something is amiss; down: the node takes no traffic for it"`
	// Why is in words of the gateway's own: no address, no name of a credential, no secret.
	Why   string `json:"why,omitempty" doc:"What is amiss"`
	Error string `json:"error,omitempty" doc:"What was said of it last; not shown by /readyz"`
}

// PartState is how a part does.
type PartState string

// The states of a part.
const (
	PartOK       PartState = "ok"
	PartDegraded PartState = "degraded"
	PartDown     PartState = "down"
)

// Sound reports whether nothing at all is amiss.
func Sound(parts []Part) bool {
	for i := range parts {
		if parts[i].State != PartOK {
			return false
		}
	}
	return true
}

// Serving reports whether no part keeps the node from taking traffic.
func Serving(parts []Part) bool {
	for i := range parts {
		if parts[i].State == PartDown {
			return false
		}
	}
	return true
}

// lines says the parts as text, one to a line.
func lines(parts []Part) string {
	var text strings.Builder
	for i := range parts {
		p := &parts[i]
		text.WriteString(p.Name + " " + string(p.State))
		if p.Why != "" {
			text.WriteString(": " + p.Why)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// Condition is how something went when it was tried last. The zero value has not failed; nil is for
// what nobody tries.
type Condition struct {
	mu    sync.Mutex
	err   error
	since time.Time
}

// Note keeps how it went, and since when it has gone wrong.
func (c *Condition) Note(err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.since = now
	}
	c.err = err
}

// Part gives a part of the gateway for it: degraded, and why, where it went wrong.
func (c *Condition) Part(name, why string) Part {
	if c == nil {
		return Part{Name: name, State: PartOK}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return Part{Name: name, State: PartOK}
	}
	return Part{Name: name, State: PartDegraded, Why: why + ", since " + c.since.UTC().Format(time.RFC3339), Error: c.err.Error()}
}
