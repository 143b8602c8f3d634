// Package anthropic speaks Anthropic's Messages API, as a face to clients and as a dialect to
// upstreams. It must never open a connection, hold a key or read a clock.
//
// Source: https://docs.claude.com/en/api/messages and the types of anthropic-sdk-go.
package anthropic

import (
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Language is the wire format's name.
const Language = "anthropic"

// version is the API version all requests are written for.
const version = "2023-06-01"

// Dialect speaks the Messages API with upstreams.
type Dialect struct{}

var _ providers.Dialect = Dialect{}

func plan(call *providers.Call, req providers.UpstreamRequest, betas, dropped []string) providers.Plan {
	req.Headers = []providers.Header{{Name: "anthropic-version", Value: version}}
	if len(betas) > 0 {
		req.Headers = append(req.Headers, providers.Header{Name: "anthropic-beta", Value: strings.Join(betas, ",")})
	}
	return providers.Plan{Requests: call.One(req), Dropped: dropped}
}
