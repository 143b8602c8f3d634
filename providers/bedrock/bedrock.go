// Package bedrock speaks Converse, Amazon Bedrock's own language for every model that it serves.
// It must never open a connection, hold a key or read a clock.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
package bedrock

import (
	"strings"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/aws"
)

// Language is the wire format's name.
const Language = "bedrock"

// Dialect speaks Converse and ConverseStream.
type Dialect struct{}

var _ providers.Dialect = Dialect{}

// Splice implements providers.Dialect. No client speaks Converse here, so nobody asks.
func (Dialect) Splice(call *providers.Call) (providers.Plan, error) {
	return providers.Plan{Requests: call.One(providers.UpstreamRequest{Path: call.Path, Body: call.Doc.Raw})}, nil
}

// Fault implements providers.Dialect.
func (Dialect) Fault(status int, header func(name string) string, body []byte) *providers.Fault {
	return aws.Fault(status, header, body)
}

// Governed lists the request fields that change what Bedrock charges.
func Governed() []providers.Governed {
	return []providers.Governed{
		{Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "standard"}},
	}
}

// caches reports a model that takes cache points: the others refuse them.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
func caches(model string) bool {
	return strings.Contains(model, "claude") || strings.Contains(model, "amazon.nova")
}
