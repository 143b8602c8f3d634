package proxy

import (
	"bytes"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// endpoint is one path of the data plane. It is a value: an operation on the road, or an answer
// of the gateway's own.
type endpoint struct {
	method string
	op     providers.Op // 0 for a path or a method that is not served
	face   providers.Face
	answer func(*flight) error // set where no upstream is asked
}

func endpoints(chat providers.Face) map[string]endpoint {
	return map[string]endpoint{
		"/v1/chat/completions": {method: fasthttp.MethodPost, op: providers.OpChat, face: chat},
		"/v1/completions":      {method: fasthttp.MethodPost, op: providers.OpCompletions, face: chat},
		"/v1/embeddings":       {method: fasthttp.MethodPost, op: providers.OpEmbeddings, face: chat},
		"/v1/models":           {method: fasthttp.MethodGet, op: providers.OpModels, face: chat, answer: (*flight).listModels},
		"/v1/models/":          {method: fasthttp.MethodGet, op: providers.OpModels, face: chat, answer: (*flight).showModel},
	}
}

// endpoint finds what a request is for. Health is answered here; it counts as no request.
func (g *Gateway) endpoint(fc *fasthttp.RequestCtx) (endpoint, bool) {
	path := fc.Path()
	path = bytes.TrimPrefix(path, []byte("/openai")) // some SDKs add it
	switch string(path) {
	case "/healthz", "/readyz":
		g.health(fc, string(path))
		return endpoint{}, false
	}
	e, ok := g.faces[string(path)]
	if !ok && bytes.HasPrefix(path, []byte("/v1/models/")) {
		e, ok = g.faces["/v1/models/"]
	}
	if !ok {
		chat := g.faces["/v1/chat/completions"].face
		return endpoint{face: chat, answer: noRoute}, true
	}
	if string(fc.Method()) != e.method {
		e.op, e.answer = 0, wrongMethod
	}
	return e, true
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

func noRoute(f *flight) error {
	return &providers.Fault{Kind: providers.FaultNoRoute, NoRetry: true,
		Message: "Invalid URL (" + clean(f.fc.Method()) + " " + clean(f.fc.Path()) + ")"}
}

func wrongMethod(f *flight) error {
	return &providers.Fault{Kind: providers.FaultNoRoute, Status: fasthttp.StatusMethodNotAllowed, Code: "method_not_supported", NoRetry: true,
		Message: "Not allowed to " + clean(f.fc.Method()) + " on " + clean(f.fc.Path()) + "."}
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
