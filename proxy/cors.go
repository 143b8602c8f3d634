package proxy

import (
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// CORS says which pages of other sites may call the data plane from a browser. The nil one is none.
type CORS struct {
	Origins     []string // such as https://app.example.com; "*" is any
	Headers     []string // that pages may send; none: whatever they ask for
	MaxAge      string   // in seconds, for which a browser may keep an answer
	Credentials bool     // certificates of clients may be shown
}

// exposed are the gateway's headers that pages may read where "*" does not stand for all.
const exposed = "x-request-id, x-client-request-id, retry-after, retry-after-ms, x-should-retry, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, " +
	"x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, x-aistrale-provider, x-aistrale-model, " +
	"x-aistrale-fidelity, x-aistrale-dropped, x-aistrale-attempts, x-aistrale-overhead-us, x-aistrale-cost-usd, x-aistrale-cache, x-aistrale-prompt, x-aistrale-upstream-request-id"

// write lets the page read the answer, where it may; it reports whether it may.
func (c *CORS) write(fc *fasthttp.RequestCtx) bool {
	if c == nil {
		return false
	}
	h := &fc.Response.Header
	anyone := slices.Contains(c.Origins, "*")
	if !anyone {
		h.Add("Vary", "Origin")
	}
	origin := string(fc.Request.Header.Peek("Origin"))
	switch {
	case origin == "":
		return false
	case anyone:
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "*")
		return true
	case !slices.Contains(c.Origins, origin):
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if !c.Credentials {
		h.Set("Access-Control-Expose-Headers", "*")
		return true
	}
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Expose-Headers", exposed)
	return true
}

// preflight answers a browser that asks whether a page may, before it does. It needs no key.
func (c *CORS) preflight(fc *fasthttp.RequestCtx) bool {
	if c == nil || !fc.IsOptions() || len(fc.Request.Header.Peek("Access-Control-Request-Method")) == 0 || !c.write(fc) {
		return false
	}
	asked := fc.Request.Header.Peek("Access-Control-Request-Headers")
	h := &fc.Response.Header
	switch {
	case len(c.Headers) > 0:
		h.Set("Access-Control-Allow-Headers", strings.Join(c.Headers, ", "))
	case len(asked) > 0 && printable(asked):
		h.SetBytesV("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Max-Age", c.MaxAge)
	h.SetNoDefaultContentType(true)
	fc.SetStatusCode(fasthttp.StatusNoContent)
	return true
}
