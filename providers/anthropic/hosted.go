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
	s := newSplicer(call)
	says := call.Doc.Field(betaField) != nil && !slices.Contains(call.Quirks.Strip, betaField)
	for _, own := range h.edits(call, says, nil) {
		if e := s.edit(own.Name); e != nil {
			*e = own
		} else {
			s.edits = append(s.edits, own)
		}
	}
	p := s.plan()
	h.headers(&p.Requests[0])
	return p, nil
}

// WriteRequest implements providers.Dialect.
func (h Hosted) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	plan, err := h.Dialect.WriteRequest(req, call)
	for i := 0; i < len(plan.Requests) && err == nil; i++ {
		r := &plan.Requests[i]
		var doc providers.Document
		if err = doc.Scan(r.Body, nil); err == nil {
			r.Body = doc.Splice(nil, h.edits(call, doc.Field(betaField) != nil, r.Headers)...)
			h.headers(r)
		}
	}
	return plan, err
}

// betaField is where a body names betas.
const betaField = "anthropic_beta"

// edits make a document for Anthropic's own API, with headers of ours, one for the host. says is
// set where the document itself names betas.
func (h Hosted) edits(call *providers.Call, says bool, headers []providers.Header) []providers.Edit {
	edits := []providers.Edit{{Name: "anthropic_version", Value: providers.AppendString(nil, h.Version)}}
	if call.Op != providers.OpCountTokens { // which has one path for all models
		edits = append(edits, providers.Edit{Name: "model"})
	}
	if !h.Bare {
		return edits
	}
	edits = append(edits, providers.Edit{Name: "stream"})
	if betas := betaList(headers, call.Forwarded); betas != nil && !says {
		edits = append(edits, providers.Edit{Name: betaField, Value: betas})
	}
	return edits
}

// headers leaves out of a request's own what stands in the body.
func (h Hosted) headers(r *providers.UpstreamRequest) {
	r.Headers = slices.DeleteFunc(r.Headers, func(header providers.Header) bool {
		return header.Name == "anthropic-version" || h.Bare && header.Name == "anthropic-beta"
	})
}

// betaList is a JSON array of the betas that headers name, nil where they name none.
func betaList(all ...[]providers.Header) []byte {
	var list []byte
	for _, headers := range all {
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
	if list == nil {
		return nil
	}
	list[0] = '['
	return append(list, ']')
}
