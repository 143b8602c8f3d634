package mock

import (
	"bytes"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// CallState is how far a request came.
type CallState uint8

// The states of a call.
const (
	CallOpen     CallState = iota
	CallFinished           // answered in full
	CallAborted            // the client left, or the mock broke off as it was told
	CallRefused            // answered with an error
)

func (s CallState) String() string {
	switch s {
	case CallOpen:
		return "open"
	case CallFinished:
		return "finished"
	case CallAborted:
		return "aborted"
	case CallRefused:
		return "refused"
	}
	return "unknown"
}

// Call is one request as it arrived, and what became of it.
type Call struct {
	Seq     uint64 // 1 is the first
	Method  string
	URI     string   // path and query
	Headers []string // "Name: value"; of a credential only the name
	Body    []byte   // cut off at Options.Body
	State   CallState
	Status  int   // 0 where nothing was answered
	Events  int64 // content events written
}

// calls is a ring of the last requests. Its slots keep their buffers, so that remembering
// costs a copy and mostly no allocation.
type calls struct {
	mu   sync.Mutex
	ring []slot
	body int // bytes kept of each
	last uint64
	open int
}

// A slot is a Call before anyone asked for it.
type slot struct {
	seq               uint64
	method, uri, body []byte
	head              []byte // lines
	state             CallState
	status            int
	events            int64
}

// begin notes a request and gives its number.
func (c *calls) begin(r *fasthttp.Request) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.open++
	if len(c.ring) == 0 {
		return c.last
	}
	s := c.slot(c.last)
	*s = slot{
		seq:    c.last,
		method: append(s.method[:0], r.Header.Method()...),
		uri:    append(s.uri[:0], r.RequestURI()...),
		head:   s.head[:0],
		body:   s.body[:0],
	}
	for name, value := range r.Header.All() {
		s.head = append(append(s.head, name...), ": "...)
		if !isCredential(name) {
			s.head = append(s.head, value...)
		}
		s.head = append(s.head, '\n')
	}
	body := r.Body()
	s.body = append(s.body, body[:min(len(body), c.body)]...)
	return c.last
}

func (s *slot) call() Call {
	one := Call{
		Seq: s.seq, Method: string(s.method), URI: string(s.uri), Body: bytes.Clone(s.body),
		State: s.state, Status: s.status, Events: s.events,
	}
	for line := range strings.Lines(string(s.head)) {
		one.Headers = append(one.Headers, strings.TrimSuffix(line, "\n"))
	}
	return one
}

func isCredential(name []byte) bool {
	for _, secret := range [...]string{"authorization", "x-api-key", "x-goog-api-key", "cookie", "proxy-authorization"} {
		if bytes.EqualFold(name, []byte(secret)) {
			return true
		}
	}
	return false
}

func (c *calls) slot(seq uint64) *slot { return &c.ring[seq%uint64(len(c.ring))] }

// end notes what became of a request. A second end corrects the first.
func (c *calls) end(seq uint64, state CallState, status int, events int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ring) == 0 {
		return
	}
	if s := c.slot(seq); s.seq == seq {
		s.state, s.status, s.events = state, status, events
	}
}

// leave counts a request as no longer open.
func (c *calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}

// list gives copies, oldest first, and how many are open and were seen in all.
func (c *calls) list() (list []Call, open int, total uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := uint64(1)
	if n := uint64(len(c.ring)); c.last > n {
		first = c.last - n + 1
	}
	for seq := first; seq <= c.last && len(c.ring) > 0; seq++ {
		if s := c.slot(seq); s.seq == seq { // else it was forgotten
			list = append(list, s.call())
		}
	}
	return list, c.open, c.last
}

func (c *calls) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.ring {
		c.ring[i].seq = 0
	}
}

func appendCalls(dst []byte, list []Call, open int, total uint64) []byte {
	dst = number(dst, `{"open":`, int64(open))
	dst = number(dst, `,"total":`, int64(total))
	dst = append(dst, `,"calls":[`...)
	for i := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCall(dst, &list[i])
	}
	return append(dst, "]}\n"...)
}

func appendCall(dst []byte, c *Call) []byte {
	dst = number(dst, `{"seq":`, int64(c.Seq))
	dst = providers.AppendString(append(dst, `,"method":`...), c.Method)
	dst = providers.AppendString(append(dst, `,"uri":`...), c.URI)
	dst = append(dst, `,"headers":[`...)
	for i, line := range c.Headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = providers.AppendString(dst, line)
	}
	dst = providers.AppendString(append(dst, `],"body":`...), c.Body)
	dst = providers.AppendString(append(dst, `,"state":`...), c.State.String())
	dst = number(dst, `,"status":`, int64(c.Status))
	return append(number(dst, `,"events":`, c.Events), '}')
}
