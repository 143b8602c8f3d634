package telemetry

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/aistrale/aistrale/storage"
)

// contentsWaiting bounds the requests whose spans wait to be told what was asked and answered.
const contentsWaiting = 1024

// contents puts what was asked and answered onto spans before they go, off the road of requests:
// to redact it takes its time.
type contents struct {
	spans *outbox
	lost  func(spans int)
	most  int64 // bytes that wait
	held  atomic.Int64
	queue chan contentSpans
	done  chan struct{}

	mu     sync.RWMutex
	closed bool
}

// contentSpans are the spans of a request. The last of them is the one that is to have the content.
type contentSpans struct {
	printed message
	last    int // of it, as open gave it
	number  int
	content storage.Content
	size    int64
}

var errNoRoom = errors.New("too much waits for this")

// newContents starts to take spans on to their outbox; close ends that.
func newContents(spans *outbox, memory int, lost func(spans int)) *contents {
	c := &contents{spans: spans, lost: lost, most: int64(memory), queue: make(chan contentSpans, contentsWaiting), done: make(chan struct{})}
	go c.run()
	return c
}

// take takes the spans of a request over. Where there is no room for what it asked and was
// answered, they go without, and say so.
func (c *contents) take(r *storage.Record) {
	next := contentSpans{number: spansOf(r)}
	next.printed, next.last = appendSpansAt(nil, r)
	if c.held.Load() <= c.most {
		next.content = r.Content()
		next.size = int64(len(next.printed) + next.content.Size())
		if c.wait(next) {
			return
		}
	}
	c.send(&next, storage.Messages{}, errNoRoom)
}

func (c *contents) wait(next contentSpans) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return false
	}
	select {
	case c.queue <- next:
		c.held.Add(next.size)
		return true
	default:
		return false
	}
}

func (c *contents) run() {
	defer close(c.done)
	for next := range c.queue {
		said, err := next.content.Messages()
		c.send(&next, said, err)
		c.held.Add(-next.size)
	}
}

func (c *contents) send(next *contentSpans, said storage.Messages, err error) {
	a := attributes{next.printed, spanAttributes}
	a.whole(attrInstructions, said.System)
	a.whole(attrInputSaid, said.Input)
	a.whole(attrOutputSaid, said.Output)
	if said.Cut {
		a.truth(attrContentCut, true)
	}
	if err != nil {
		a.text(attrContentNot, err.Error())
	}
	a.shut(next.last)
	if !put(c.spans, appendBytes, []byte(a.message)) {
		c.lost(next.number)
	}
}

// whole puts a text that was bounded before, and leaves an empty one out.
func (a *attributes) whole(key string, text []byte) {
	if len(text) == 0 {
		return
	}
	a.of(key, 1+protowire.SizeBytes(len(text)))
	a.message = a.bytes(1, text)
}

// close takes what waits on, for as long as ctx allows.
func (c *contents) close(ctx context.Context) error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.mu.Unlock()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
