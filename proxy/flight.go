package proxy

import (
	"cmp"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/internal/edge"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// flight is one request from its first byte to its record. It is pooled: begin fills it, and
// end, which runs exactly once, gives it back.
type flight struct {
	g        *Gateway
	state    *Snapshot
	fc       *fasthttp.RequestCtx // not to be touched once a stream's body was handed over
	conn     net.Conn
	endpoint *providers.Endpoint
	vars     pathVars // of the endpoint's path
	id       uuid.UUID
	start    time.Time // when the handler began
	received time.Time // when the request's last byte had come

	key       *storage.Key
	doc       providers.Document
	asked     providers.Asked
	carried   carried
	call      providers.Call
	hub       *providers.Request // read once, for the first target that needs it
	alias     *policy.Alias
	room      [2]target        // for the usual number
	fallbacks []policy.Target  // the client's own, after the alias' targets
	held      []storage.Object // stored objects that the call names, all of one account
	heldHere  []storage.Object // those that the gateway itself keeps
	turn      turn
	claimed   []string // ids that a stream told of
	// considered are the places that the call might have gone to, where there was more than one.
	considered []storage.Candidate
	hedges     bool   // it is the second attempt of another flight
	dry        bool   // nobody is called: the client wants to know what would be done
	sticky     uint64 // what keeps the call in place, 0 nothing
	stickyBy   policy.Sticky
	overtime   *time.Timer
	hurried    bool          // a time limit of the client's, or of its key's, may be what holds
	firstByte  time.Duration // the alias' limit for the target being tried, 0 none
	target     target        // the one being tried
	kept       keptHeaders
	noteHeader func(name, value []byte) // kept's, made once
	line       []byte                   // room for one header line
	rec        storage.Record
	attempts   [1]storage.Attempt // room for the usual number
	requests   [1]providers.UpstreamRequest
	headers    [8]providers.Header // of a request to an upstream
	direct     policy.Direct       // the alias, where the model's name is none

	intake    intake   // of the body
	form      *form    // the client's, where the body is one
	raw       *rawBody // the client's, where it is sent on as it comes
	body      []byte   // the client's, unpacked; of a form its fields, as JSON
	rewritten []byte   // the client's with the operator's parameters
	prompted  []byte   // with what a stored prompt says
	unsaid    []string // parameters of the prompt that the client's language has no word for
	unfolded  []byte   // with all that was said before
	sent      []byte   // what went to the upstream
	scratch   []byte   // the upstream's words, or a whole reply
	out       []byte   // bytes for the client, not yet written
	memory    int64    // taken from the body budget
	copied    int64    // of that, for what was made of the body
	said      int64    // of that, for what is sent
	settled   bool
	reply     reply
	bill      bill

	recollection recollection
	payload      payload

	mu       sync.Mutex
	client   *clientConn // that asks
	exchange Exchange
	gone     error
	// listening is set while a body comes that is not read at once.
	listening bool
	twin      *flight       // of a hedge; it is cancelled with this one
	yield     bool          // the hedge has its answer
	timed     uuid.UUID     // the request that its time limit is for
	bell      chan struct{} // closed when gone is set; nil where nobody waits for that
}

func (g *Gateway) begin(fc *fasthttp.RequestCtx, e *providers.Endpoint, vars pathVars) *flight {
	f, _ := g.spare.Get().(*flight)
	if f == nil {
		f = &flight{}
	}
	client := connectionOf(fc)
	f.g, f.state, f.fc, f.conn, f.endpoint, f.vars = g, g.state.Load(), fc, fc.Conn(), e, vars
	f.start, f.settled = time.Now(), false
	f.id = newID(f.start)
	f.bill.reset()
	f.rec = storage.Record{
		ID: f.id.String(), Time: f.start, Node: g.options.Node, Op: e.Op, Attempts: f.attempts[:0], Usage: reset(f.rec.Usage),
		ClientRequestID: clientID(fc.Request.Header.Peek("x-request-id")), Client: f.asker(client.peer),
	}
	if e.Op != 0 {
		f.rec.Method, f.rec.Route = cmp.Or(e.Method, fasthttp.MethodPost), e.Path
	}
	if t := g.options.Tracer; t != nil {
		f.rec.Trace = t.Begin(fc.Request.Header.Peek("traceparent"), fc.Request.Header.Peek("tracestate"))
	}
	g.mu.Lock()
	g.flights[f] = struct{}{}
	drained := g.drained
	g.mu.Unlock()
	f.mu.Lock()
	f.client = client
	f.mu.Unlock()
	client.takes(f)
	if drained {
		f.cancel(errDraining)
	}
	return f
}

// asker gives the address of who asks by way of peer.
func (f *flight) asker(peer netip.Addr) netip.Addr {
	if len(f.state.Trusted) == 0 {
		return peer
	}
	return edge.Client(f.state.Trusted, peer, f.fc.Request.Header.PeekAll)
}

// end gives the flight back. Nothing may use it afterwards.
func (g *Gateway) end(f *flight) {
	f.client.flight.Store(nil)
	f.endTime()
	g.mu.Lock()
	delete(g.flights, f)
	g.mu.Unlock()
	f.mu.Lock()
	f.client, f.gone, f.exchange, f.bell, f.listening = nil, nil, nil, nil, false
	f.mu.Unlock()
	g.memory.give(f.memory)
	f.memory, f.copied, f.said = 0, 0, 0
	f.closeBody()
	f.state, f.fc, f.conn, f.key, f.hub, f.alias, f.asked = nil, nil, nil, nil, nil, nil, providers.Asked{}
	f.call, f.target, f.room, f.sticky, f.fallbacks = providers.Call{}, target{}, [2]target{}, 0, f.fallbacks[:0]
	f.hurried, f.firstByte, f.held, f.heldHere, f.turn, f.claimed = false, 0, nil, nil, turn{}, f.claimed[:0]
	clear(f.considered)
	f.considered, f.dry = f.considered[:0], false
	f.intake, f.requests, f.headers, f.direct = intake{}, [1]providers.UpstreamRequest{}, [8]providers.Header{}, policy.Direct{}
	f.kept.reset()
	f.reply.reset()
	f.recollection.reset()
	f.prompted, f.unsaid = keep(f.prompted), nil
	f.payload.reset()
	f.body, f.rewritten, f.unfolded, f.sent, f.scratch, f.out = keep(f.body), keep(f.rewritten), keep(f.unfolded), keep(f.sent), keep(f.scratch), keep(f.out)
	g.spare.Put(f)
}

// keep empties a buffer for reuse; one that grew large is left to the collector.
func keep(b []byte) []byte {
	const most = 1 << 20
	if cap(b) > most {
		return nil
	}
	return b[:0]
}

func reset(u providers.Usage) providers.Usage {
	return providers.Usage{Lines: u.Lines[:0], Raw: u.Raw[:0]}
}

// clientID takes over a client's own request id where it is fit for logs and headers.
func clientID(b []byte) string {
	if len(b) == 0 || len(b) > 128 {
		return ""
	}
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return string(b)
}
