package anthropic

import (
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Hosted speaks the Messages API as another cloud serves it: the model stands in the path, and
// the version in the body.
//
// Sources: https://docs.claude.com/en/api/claude-on-vertex-ai and claude-on-amazon-bedrock.
type Hosted struct {
	Dialect
	Version string // anthropic_version: "vertex-2023-10-16", "bedrock-2023-05-31"
	// Bare is set where the path alone says whether to stream, and betas stand in the body
	// (Bedrock).
	Bare bool
}

var _ providers.Dialect = Hosted{}

// Splice implements providers.Dialect.
func (h Hosted) Splice(call *providers.Call) (providers.Plan, error) {
	plan, err := h.Dialect.Splice(call)
	if err == nil {
		err = h.fit(call, &plan)
	}
	return plan, err
}

// WriteRequest implements providers.Dialect.
func (h Hosted) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	plan, err := h.Dialect.WriteRequest(req, call)
	if err == nil {
		err = h.fit(call, &plan)
	}
	return plan, err
}

// fit makes Anthropic's own requests those of the host.
func (h Hosted) fit(call *providers.Call, plan *providers.Plan) error {
	for i := range plan.Requests {
		r := &plan.Requests[i]
		r.Headers = slices.DeleteFunc(r.Headers, func(h providers.Header) bool { return h.Name == "anthropic-version" })
		edits := []providers.Edit{{Name: "anthropic_version", Value: providers.AppendString(nil, h.Version)}}
		if call.Op != providers.OpCountTokens { // which has one path for all models
			edits = append(edits, providers.Edit{Name: "model"})
		}
		if h.Bare {
			edits = append(edits, providers.Edit{Name: "stream"})
		}
		var doc providers.Document
		if err := doc.Scan(r.Whole(), nil); err != nil {
			return err
		}
		if betas := h.betas(call, r); len(betas) > 0 && doc.Field("anthropic_beta") == nil {
			edits = append(edits, providers.Edit{Name: "anthropic_beta", Value: betas})
		}
		r.Body = doc.Splice(nil, edits...)
	}
	return nil
}

// betas takes them out of the request's headers, and adds the client's own; nil where there are
// none, or where they stay in a header.
func (h Hosted) betas(call *providers.Call, r *providers.UpstreamRequest) []byte {
	if !h.Bare {
		return nil
	}
	var list []byte
	add := func(headers []providers.Header) {
		for _, header := range headers {
			if header.Name != "anthropic-beta" {
				continue
			}
			for beta := range strings.SplitSeq(header.Value, ",") {
				if beta = strings.TrimSpace(beta); beta != "" {
					list = providers.AppendString(append(list, ','), beta)
				}
			}
		}
	}
	add(r.Headers)
	add(call.Forwarded)
	r.Headers = slices.DeleteFunc(r.Headers, func(h providers.Header) bool { return h.Name == "anthropic-beta" })
	if list == nil {
		return nil
	}
	list[0] = '['
	return append(list, ']')
}
