package proxy

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// endpoints are the paths of the data plane, by name where they have no variables.
type endpoints struct {
	fixed    map[string][]*providers.Endpoint // by path; one for each method
	patterns []pattern
	surfaces []providers.Surface // the longest prefix first
}

func newEndpoints(surfaces []providers.Surface) *endpoints {
	e := &endpoints{fixed: map[string][]*providers.Endpoint{}, surfaces: slices.Clone(surfaces)}
	slices.SortStableFunc(e.surfaces, func(a, b providers.Surface) int { return len(b.Prefix) - len(a.Prefix) })
	for _, s := range e.surfaces {
		for _, at := range s.Endpoints {
			at.Method, at.Path = cmp.Or(at.Method, fasthttp.MethodPost), s.Prefix+at.Path
			if at.Face == nil {
				at.Face = s.Face
			}
			at.Awake = cmp.Or(at.Awake, s.Awake, comment)
			if strings.Contains(at.Path, "{") {
				e.patterns = append(e.patterns, newPattern(&at))
				continue
			}
			e.fixed[at.Path] = append(e.fixed[at.Path], &at)
		}
	}
	return e
}

// find gives the endpoint of a path and method. Where there is none its Op is 0, and it says in
// whose words that is refused; known is set where another method has the path.
func (e *endpoints) find(method, path []byte) (at *providers.Endpoint, vars pathVars, known bool) {
	for _, at := range e.fixed[string(path)] {
		if known = true; string(method) == at.Method {
			return at, pathVars{}, true
		}
	}
	for i := range e.patterns {
		p := &e.patterns[i]
		vars, ok := p.match(path)
		if ok && string(method) == p.endpoint.Method {
			return p.endpoint, vars, true
		}
		known = known || ok
	}
	return &providers.Endpoint{Face: e.face(path)}, pathVars{}, known
}

// face is who speaks with a client that asks for a path, whether it is served or not.
func (e *endpoints) face(path []byte) providers.Face {
	for i := range e.surfaces {
		if s := &e.surfaces[i]; bytes.HasPrefix(path, []byte(s.Prefix)) {
			return s.Face
		}
	}
	return e.surfaces[len(e.surfaces)-1].Face
}

// endpoint finds what a request is for. Health is answered here; it counts as no request.
func (g *Gateway) endpoint(fc *fasthttp.RequestCtx) (at *providers.Endpoint, vars pathVars, ok bool) {
	path := bytes.TrimPrefix(fc.Path(), []byte("/openai")) // some SDKs add it
	switch string(path) {
	case "/healthz", "/readyz":
		g.health(fc, string(path))
		return nil, pathVars{}, false
	}
	at, vars, known := g.endpoints.find(fc.Method(), path)
	if at.Op == 0 && known {
		at.Path = string(path) // somebody's, by another method
	}
	return at, vars, true
}

func (g *Gateway) health(fc *fasthttp.RequestCtx, path string) {
	g.hurry(fc, 0)
	fc.SetContentType("text/plain; charset=utf-8")
	if path == "/readyz" && !g.Ready() {
		fc.SetStatusCode(fasthttp.StatusServiceUnavailable)
		fc.SetBodyString("not ready\n")
		return
	}
	fc.SetBodyString("ok\n")
	if path == "/readyz" && fc.QueryArgs().Has("verbose") {
		g.ailing(fc)
	}
}

// ailing lists the places that are not sound. Names of credentials are the operator's own
// business: the listener is open to everybody.
func (g *Gateway) ailing(fc *fasthttp.RequestCtx) {
	now := time.Now()
	for _, a := range g.options.Health.Ailing(now) {
		name := a.Provider
		if a.Model != "" {
			name += "/" + a.Model
		}
		line := name + " " + a.State.String()
		if wait := a.Until.Sub(now); wait > 0 {
			line += " for " + wait.Round(time.Second).String()
		}
		_, _ = fc.WriteString(line + "\n") // into memory
	}
}

// noRoute refuses a path that is nobody's, or a method that it does not have.
func (f *flight) noRoute() error {
	if f.endpoint.Path != "" {
		return &providers.Fault{Kind: providers.FaultNoRoute, Status: fasthttp.StatusMethodNotAllowed, Code: "method_not_supported", NoRetry: true,
			Message: "Not allowed to " + clean(f.fc.Method()) + " on " + clean(f.fc.Path()) + "."}
	}
	return &providers.Fault{Kind: providers.FaultNoRoute, NoRetry: true,
		Message: "Invalid URL (" + clean(f.fc.Method()) + " " + clean(f.fc.Path()) + ")"}
}

// clean makes a client's bytes fit for a message: printable ASCII, and not too long.
func clean(b []byte) string {
	b = b[:min(len(b), 128)]
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, string(b))
}
