// Package proxy is the road of a request: read, admit, route, send, relay, settle. It speaks
// HTTP with clients and upstreams and leaves every wire format to providers, every decision to
// policy, and every store to storage.
package proxy

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/policy"
	prompts "github.com/aistrale/aistrale/policy/prompt"
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
	BodyMemory  int64         // of all large request bodies together
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

// Snapshot is what a reload replaces: keys, names and accounts. It is built whole, never
// changed, and every request works on the one it began with.
type Snapshot struct {
	Keys     *policy.Keyring
	Router   *policy.Router
	Accounts map[string][]*Account // by provider, or by provider/model where they serve one model; never empty
	// Own has, by workspace, the accounts that serve its calls in the place of those in Accounts of
	// the same name.
	Own      map[string]map[string][]*Account
	Models   []providers.ListedModel // for the lists of models
	Prices   *policy.PriceBook
	Limits   *policy.Limits   // nil: nobody is limited
	Patience policy.Patience  // of calls that a limit refuses
	Regions  policy.Regions   // that workspaces are kept to
	Prompts  *prompts.Set     // that calls may name; nil: there are none
	Trusted  storage.Networks // proxies whose word on who the client is counts
	CORS     *CORS            // of pages in browsers; nil: none may call
	Debug    *Debug           // of which keys' calls all is logged; nil: of none
	// Keepers names by workspace who keeps the objects that its calls make, as Accounts does; one
	// that is not in it has no such rule.
	Keepers map[string]string

	known atomic.Pointer[map[loreOf]*lore] // at hand of the accounts' models
}

// Account is a provider with its credential and its connections. Several accounts of one
// provider have different credentials.
type Account struct {
	providers.Provider
	Credential string // its name, for records; unique among the provider's
	// Keeper is the name in Snapshot.Accounts under which its stored objects are written down; ""
	// is the provider's.
	Keeper string
	Weight int         // how large its share of the provider's calls is; where none has any, all are alike
	Kind   policy.Kind // as what the catalogue knows it
	Region string      // that workspaces may be kept to
	Tariff string      // the region whose prices hold, as they name it
	Secret storage.Secret
	// Tokens mint what is sent in place of the secret; nil: the secret itself is.
	Tokens TokenSource
	// NeedsKey is set where the provider wants a credential and there is none; KeyError says
	// why a stored one could not be opened.
	NeedsKey   bool
	KeyError   error
	Used       *Use // notes when the secret was sent last; nil: nobody asks
	Upstream   Upstream
	Way        *outbound.Way // by which sessions connect; nil: directly
	FirstByte  time.Duration // for the answer's first byte
	StreamIdle time.Duration // for the next byte of an answer
	Retry      policy.Retry
	Breaker    policy.Breaker
	// Sticky keeps calls at one of several accounts, where the model's alias says nothing.
	Sticky policy.Sticky
	// Can says what a model of the account can do.
	Can func(model string) providers.Capabilities
}

func (a *Account) can(model string) providers.Capabilities {
	if a.Can == nil {
		return providers.Capabilities{}
	}
	return a.Can(model)
}

// AllAccounts gives every account, whoever's calls it serves, in any order.
func (s *Snapshot) AllAccounts() iter.Seq[*Account] {
	return func(yield func(*Account) bool) {
		for _, of := range append(slices.Collect(maps.Values(s.Own)), s.Accounts) {
			for _, accounts := range of {
				for _, a := range accounts {
					if !yield(a) {
						return
					}
				}
			}
		}
	}
}

// routeOf gives how the account serves an operation for a model. Most have one way only, whatever
// the model.
func (a *Account) routeOf(op providers.Op, language, model string) (providers.Route, bool) {
	if len(a.Routes[op]) < 2 {
		return a.Route(op, language, model)
	}
	known := a.Kind.Of(policy.Target{Model: model}).Model
	return a.RouteIn(op, language, known, a.can(model).Languages)
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
