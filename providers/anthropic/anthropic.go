// Package anthropic speaks Anthropic's Messages API with upstreams. It must never open a
// connection, hold a key or read a clock.
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

// Splice implements providers.Dialect: the model is put into the client's bytes and the fields
// that the provider refuses are taken out. Anthropic sends usage unasked.
func (Dialect) Splice(call providers.Call) (providers.Plan, error) {
	edits := []providers.Edit{{Name: "model", Value: providers.AppendString(nil, call.Model)}}
	var dropped []string
	for _, name := range call.Quirks.Strip {
		if call.Doc.Field(name) != nil {
			edits = append(edits, providers.Edit{Name: name})
			dropped = append(dropped, name)
		}
	}
	for i := range call.Doc.Fields {
		name := call.Doc.Fields[i].Name
		if as := call.Quirks.Rename[name]; as != "" && call.Doc.Field(as) == nil {
			edits = append(edits, providers.Edit{Name: name, As: as, Value: call.Doc.Value(name)})
		}
	}
	return plan(call, call.Doc.Splice(nil, edits...), nil, dropped), nil
}

func plan(call providers.Call, body []byte, betas, dropped []string) providers.Plan {
	headers := []providers.Header{{Name: "anthropic-version", Value: version}}
	if len(betas) > 0 {
		headers = append(headers, providers.Header{Name: "anthropic-beta", Value: strings.Join(betas, ",")})
	}
	return providers.Plan{
		Requests: []providers.UpstreamRequest{{Path: call.Path, Headers: headers, Body: body}},
		Dropped:  dropped,
	}
}
