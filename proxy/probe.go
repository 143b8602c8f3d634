package proxy

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// probes are requests of the gateway's own, which tell a broken upstream or credential from bad
// requests of one key: one cheap call each, GET models. They end with the gateway.
type probes struct {
	mu     sync.Mutex
	wg     sync.WaitGroup
	under  map[Exchange]struct{}
	closed bool
}

// Limits of a probe, and for how long a refused credential is set aside before a call may use
// it again.
const (
	probeWait = 10 * time.Second
	probeMost = 1 << 20
	asideFor  = 5 * time.Minute
)

// close ends the probes under way and waits for that.
func (p *probes) close() {
	p.mu.Lock()
	p.closed = true
	for x := range p.under {
		x.Cancel(errDraining)
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// place looks whether the target fails for us too.
func (p *probes) place(t *target) {
	circuit := t.circuit
	p.start(t, circuit, func(out *providers.Fault) {
		broken := false
		if out != nil {
			switch policy.ReasonOf(out) { //nolint:exhaustive // the others say nothing of its health
			case policy.ReasonError, policy.ReasonOverloaded, policy.ReasonTimeout:
				broken = out.Status == 0 || out.Status >= http.StatusInternalServerError
			}
		}
		circuit.Probed(broken, time.Now())
	})
}

// credential looks whether the target's credential is refused to us too, and sets it aside then.
func (p *probes) credential(t *target) {
	credential := t.credential
	if t.account.Blind {
		return
	}
	p.start(t, credential, func(out *providers.Fault) {
		if out != nil && out.Kind == providers.FaultProviderAuth {
			credential.SetAside(time.Now().Add(asideFor))
		}
	})
}

// start makes one probe of a circuit at a time.
func (p *probes) start(t *target, c *policy.Circuit, told func(*providers.Fault)) {
	account := t.account
	route, ok := account.Route(providers.OpChat, "", t.Model)
	if !ok || !c.Claim(time.Now()) {
		return
	}
	x := account.Upstream.Exchange()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.Release()
		x.Finish()
		return
	}
	if p.under == nil {
		p.under = map[Exchange]struct{}{}
	}
	p.under[x] = struct{}{}
	p.wg.Go(func() {
		defer c.Release()
		out := look(x, account, &route)
		p.mu.Lock()
		delete(p.under, x)
		stopped := p.closed
		p.mu.Unlock()
		x.Finish()
		if !stopped {
			told(out)
		}
	})
}

// Try asks the account as cheaply as can be: nil is a good answer. A fault without a status is one
// of no answer. The credential is in none of its texts.
func (a *Account) Try(ctx context.Context) *providers.Fault {
	route, ok := a.anyRoute()
	if !ok {
		return &providers.Fault{Kind: providers.FaultInvalid, Message: "The provider " + a.Name + " has no operation to try."}
	}
	x := a.Upstream.Exchange()
	defer x.Finish()
	stop := context.AfterFunc(ctx, func() { x.Cancel(ctx.Err()) })
	defer stop()
	return look(x, a, &route)
}

// anyRoute gives how the account chats, else how it does something else.
func (a *Account) anyRoute() (providers.Route, bool) {
	for _, op := range append([]providers.Op{providers.OpChat}, slices.Sorted(maps.Keys(a.Routes))...) {
		if routes := a.Routes[op]; len(routes) > 0 {
			return routes[0], true
		}
	}
	return providers.Route{}, false
}

// look lists the account's models; nil is a good answer.
func look(x Exchange, a *Account, route *providers.Route) *providers.Fault {
	req := listing(route.Language)
	if a.Look != "" {
		req.Path = a.Look
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeWait)
	defer cancel()
	sent, err := a.sign(ctx, &req)
	if err != nil {
		return unsigned(a.Name, err)
	}
	head, err := x.Send(&req, nil, Timeouts{FirstByte: probeWait, Pause: probeWait, Idle: probeWait})
	if err != nil {
		return &providers.Fault{Kind: providers.FaultUpstream, Cause: err}
	}
	body, err := readAll(x, nil, head.Length, probeMost)
	if head.Status >= 200 && head.Status <= 299 {
		return nil
	}
	if err != nil {
		body = nil
	}
	out := route.Dialect.Fault(head.Status, head.Header, body)
	out.Status = head.Status
	mask(out, sent)
	return out
}

// listing is the request that lists models in a language.
func listing(language string) providers.UpstreamRequest {
	req := providers.UpstreamRequest{Method: http.MethodGet, Path: "/models", Headers: []providers.Header{
		{Name: "accept", Value: "application/json"}, {Name: "accept-encoding", Value: "identity"},
	}}
	if language == "anthropic" { // whose base URL has no version
		req.Path = "/v1/models"
		req.Headers = append(req.Headers, providers.Header{Name: "anthropic-version", Value: "2023-06-01"})
	}
	return req
}
