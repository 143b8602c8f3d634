// Package proxy is the road of a request: read, admit, route, send, relay, settle. It speaks
// HTTP with clients and upstreams and leaves every wire format to providers, every decision to
// policy, and every store to storage.
package proxy

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Observer is told of every request once, when it has ended. It must not keep the record.
type Observer interface{ Observe(*storage.Record) }

// Tracer gives requests their places in traces.
type Tracer interface {
	// Begin gives the place of a request whose client says that it is part of a trace itself, by the
	// headers traceparent and tracestate, which may be empty or wrong. It must not keep them.
	Begin(parent, state []byte) storage.Trace
}

// Defects is told of what is our own fault. It must not keep the record.
type Defects interface {
	// Panicked is told by the function that recovered; the client gets a plain 500.
	Panicked(r *storage.Record, cause any, stack []byte)
	// Failed is told of a request that was answered with a 5xx which no upstream gave.
	Failed(r *storage.Record, err error)
}

// StreamCounter is told when a stream to a client begins and when it has ended, however it did.
type StreamCounter interface {
	StreamOpened()
	StreamClosed()
}

// Options are the gateway's settings that hold for its lifetime.
type Options struct {
	Node     string
	Limits   Limits
	Observer Observer
	Streams  StreamCounter // nil: nobody counts
	Tracer   Tracer        // nil: no request is traced
	Defects  Defects       // nil: nobody is told
	// Watch finds governed fields of all dialects.
	Watch *providers.Watch
	// Headers are the governed ones of all providers.
	Headers []providers.GovernedHeader
	Fetch   Fetcher
	// Journal keeps what the ledger is owed; nil: nothing is kept.
	Journal Journal
	// Counters keep limits and budgets; nil: those of this process. Recheck is how often calls
	// that wait look for what other nodes gave back, 0 where there are none.
	Counters policy.Counters
	Recheck  time.Duration
	// Replies keeps answers for keys and aliases that want that; nil: nobody's.
	Replies Replies
	// Health knows how the upstreams do; nil: a new one that tells nobody.
	Health *policy.Health
	// Turns keeps what was said to models whose providers keep nothing; nil: it is not kept.
	Turns Turns
	// Payloads keeps what was asked and answered, for keys that want that; nil: nobody's.
	Payloads Payloads
	// Objects knows whose stored objects are; nil: nobody has any.
	Objects Objects
	// Usage tells keys what they used; nil: it is kept nowhere.
	Usage Usage
	// Able reports whether what the gateway stands on lets it serve; nil: always. It is asked by
	// probes only.
	Able func() bool
}

// Limits bound what one request, and all of them together, may take.
type Limits struct {
	MaxBody     int           // of a request, unpacked
	MaxUpload   int64         // of a request that brings files, unpacked
	UploadDisk  int64         // of all files that are kept before they are sent
	UploadDir   string        // where they are kept; "": the system's place for such files
	MaxReply    int           // of a whole reply, and of one event of a stream
	BodyMemory  int64         // of all large bodies together, whole answers among them
	Hold        time.Duration // from the upstream's 200 until the reply is begun without content
	MaxCached   int           // of an answer that is kept
	MaxTurn     int           // of a response that is kept, with its input; 0 any
	TurnLife    time.Duration // for which one is kept at most; 0 any
	Comment     time.Duration // of silence, before a comment is sent to the client
	ClientWrite time.Duration // for the client to take an event
	ClientRead  time.Duration // for a request to come in
	// ClientRate is how slow a client may be with large bodies, in bytes a second: both waits
	// grow by what it has sent or has to take. 0: they do not grow.
	ClientRate int
}

// forBytes is the time that the slowest client has for n bytes.
func (l *Limits) forBytes(n int) time.Duration {
	if l.ClientRate <= 0 {
		return 0
	}
	return time.Duration(n) * time.Second / time.Duration(l.ClientRate)
}

// Gateway serves the data plane.
type Gateway struct {
	options   Options
	state     atomic.Pointer[Snapshot]
	endpoints *endpoints
	watch     *watcher
	memory    budget
	disk      budget
	spare     sync.Pool
	warm      policy.Warm
	queue     *policy.Queue
	probes    probes
	objects   *objects
	batches   batches
	curious   curious

	draining atomic.Bool // no new request is wanted

	mu      sync.Mutex
	flights map[*flight]struct{}
	drained bool // drain_timeout has passed
}

// New makes a gateway that serves the given surfaces, of which one has no prefix. Swap must be
// called before it serves.
func New(o Options, surfaces []providers.Surface) (*Gateway, error) {
	if o.Journal == nil {
		o.Journal = noJournal{}
	}
	if o.Counters == nil {
		o.Counters = policy.NewMeter(policy.MeterOptions{})
	}
	if o.Health == nil {
		o.Health = policy.NewHealth(policy.HealthOptions{})
	}
	w, err := newWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch clients: %w", err)
	}
	g := &Gateway{options: o, watch: w, endpoints: newEndpoints(surfaces), flights: map[*flight]struct{}{}, queue: policy.NewQueue(o.Counters, o.Recheck)}
	g.memory.left.Store(o.Limits.BodyMemory)
	g.disk.left.Store(o.Limits.UploadDisk)
	g.objects = newObjects(o.Objects)
	g.batches.begin(g)
	return g, nil
}

// Close ends the watcher and what the gateway asks by itself; no request may be under way.
func (g *Gateway) Close() {
	g.batches.close()
	g.probes.close()
	g.watch.close()
}

// Swap puts a new snapshot in place. Requests under way keep theirs.
func (g *Gateway) Swap(s *Snapshot) { g.state.Store(s) }

// Snapshot gives the one in place.
func (g *Gateway) Snapshot() *Snapshot { return g.state.Load() }

// Ready reports whether requests are wanted.
func (g *Gateway) Ready() bool {
	return g.state.Load() != nil && !g.draining.Load() && (g.options.Able == nil || g.options.Able())
}

// Draining reports whether the gateway is about to end.
func (g *Gateway) Draining() bool { return g.draining.Load() }

// Ailing lists the places that are not sound at a time.
func (g *Gateway) Ailing(now time.Time) []policy.Ailing { return g.options.Health.Ailing(now) }

// Leave makes the gateway unready for good, and each answer the last one of its connection. It
// still takes what comes.
func (g *Gateway) Leave() { g.draining.Store(true) }

// Load is what the requests under way take together.
type Load struct {
	Requests, Waiting      int64 // of which so many wait for a limit
	BodyMemory, UploadDisk int64 // bytes
}

// Load says how much is under way.
func (g *Gateway) Load() Load {
	l := &g.options.Limits
	return Load{
		Requests: int64(g.OpenFlights()), Waiting: g.queue.Waiting(),
		BodyMemory: l.BodyMemory - g.memory.left.Load(), UploadDisk: l.UploadDisk - g.disk.left.Load(),
	}
}

// OpenFlights counts the requests under way.
func (g *Gateway) OpenFlights() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.flights)
}

// Abort cancels every request under way: the end of a drain.
func (g *Gateway) Abort() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drained = true
	for f := range g.flights {
		f.cancel(errDraining)
	}
}

// Handle serves one request.
func (g *Gateway) Handle(fc *fasthttp.RequestCtx) {
	if s := g.state.Load(); s != nil && s.CORS.preflight(fc) {
		return
	}
	at, vars, ok := g.endpoint(fc)
	if !ok {
		return
	}
	f := g.begin(fc, at, vars)
	defer func() {
		if cause := recover(); cause != nil {
			g.panicked(f, cause)
		}
	}()
	if err := f.serve(); err != nil {
		f.refuse(err)
	}
}

// serve is the road. A stream's settle comes later, when its last byte has been written.
func (f *flight) serve() error {
	if f.endpoint.Op == 0 {
		return f.noRoute() // it needs no key
	}
	if err := f.identify(); err != nil {
		return err
	}
	switch {
	case f.endpoint.Closed != "":
		return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Message: f.endpoint.Closed}
	case f.endpoint.Op == providers.OpModels:
		return f.models()
	case f.endpoint.Op == providers.OpMe:
		return f.me()
	case f.endpoint.Op == providers.OpMyUsage:
		return f.myUsage()
	case f.rehearsed():
		return f.rehearse()
	case f.endpoint.Op == providers.OpPrompts:
		return f.renderPrompt()
	case f.endpoint.Session != nil:
		return f.converse()
	}
	if err := f.read(); err != nil {
		return err
	}
	if err := f.admit(); err != nil {
		return err
	}
	if f.rec.Debug {
		f.explainRequest()
	}
	switch {
	case f.endpoint.Stored != nil && f.endpoint.Stored.Lists != "":
		return f.listObjects()
	case f.endpoint.About() && f.here():
		return f.answerHeld()
	}
	targets, err := f.route()
	if err != nil {
		return err
	}
	if f.rec.Debug {
		f.explainRoute(targets)
	}
	f.limitTime()
	if err := f.send(targets); err != nil {
		return err
	}
	if err := f.settleObjects(); err != nil {
		return err
	}
	f.relay()
	return nil
}

func (g *Gateway) panicked(f *flight, cause any) {
	out := g.defect(f, cause)
	f.abandon()
	f.refuse(out)
}

// defect reports a panic on a request and gives what its client is told.
func (g *Gateway) defect(f *flight, cause any) *providers.Fault {
	f.rec.Outcome = storage.OutcomePanic
	g.report(f, cause)
	return &providers.Fault{Kind: providers.FaultInternal, Cause: fmt.Errorf("panic: %v", cause),
		Message: "The gateway failed on this request. It has been logged under the request id."}
}

func (g *Gateway) report(f *flight, cause any) {
	if g.options.Defects != nil {
		g.options.Defects.Panicked(&f.rec, cause, debug.Stack())
	}
}

// fault gives any error of the road as what the client will read.
func fault(err error) *providers.Fault {
	var f *providers.Fault
	if errors.As(err, &f) {
		return f
	}
	return &providers.Fault{Kind: providers.FaultInternal, Message: "The gateway failed on this request.", Cause: err}
}
