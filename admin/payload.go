package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
	strict "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Payloads tell what is kept of what requests asked and were answered.
type Payloads interface {
	Payload(ctx context.Context, workspace, id string) (storage.SealedPayload, error)
	ErasePayloads(ctx context.Context, workspace, user string) (int64, error)
}

// PayloadContent is what is sealed of a payload, compressed: JSON, redacted before it was cut.
type PayloadContent struct {
	Request         jsontext.Value `json:"request,omitzero"`
	Response        jsontext.Value `json:"response,omitzero"`
	RequestCut      bool           `json:"request_cut,omitzero"`
	ResponseCut     bool           `json:"response_cut,omitzero"`
	RequestOmitted  string         `json:"request_omitted,omitzero"`
	ResponseOmitted string         `json:"response_omitted,omitzero"`
}

// RequestPayload is what a request asked and was answered, redacted.
type RequestPayload struct {
	ID              string          `json:"id"`
	Key             string          `json:"key"`
	User            string          `json:"user,omitempty"`
	EndUser         string          `json:"end_user,omitempty"`
	CreatedAt       time.Time       `json:"created_at"`
	ExpiresAt       time.Time       `json:"expires_at"`
	Request         json.RawMessage `json:"request" doc:"As the client sent it, redacted; null where it is not kept"`
	RequestCut      bool            `json:"request_cut" doc:"It is cut off at the end"`
	RequestOmitted  string          `json:"request_omitted,omitempty" doc:"Why there is none, where it was to be kept"`
	Response        json.RawMessage `json:"response" doc:"As the client got it, redacted, of a stream put together; null where it is not kept"`
	ResponseCut     bool            `json:"response_cut"`
	ResponseOmitted string          `json:"response_omitted,omitempty"`
}

// mostUnpacked bounds a payload in memory.
const mostUnpacked = 4 * storage.MaxPayload

// getPayload shows what is kept of a request. Who reads it is noted first.
func (a *api) getPayload(ctx context.Context, in *RequestID) (*one[RequestPayload], error) {
	sealed, err := a.Store.Payload(ctx, in.Workspace, in.ID)
	if err != nil {
		return nil, err
	}
	if !a.Now().Before(sealed.ExpiresAt) {
		return nil, fmt.Errorf("payload %q: %w", in.ID, storage.ErrNotFound)
	}
	text, err := a.Vault.Open(ctx, sealed.Sealed, sealed.Binding())
	if err != nil {
		return nil, err
	}
	content, err := unpack([]byte(text.Reveal()))
	if err != nil {
		return nil, err
	}
	c := change{action: policy.PayloadsRead, target: "request/" + sealed.ID, workspace: sealed.Workspace}
	if err := a.apply(ctx, &c, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	p := sealed.Payload
	return &one[RequestPayload]{Body: RequestPayload{
		ID: p.ID, Key: p.Key, User: p.User, EndUser: p.EndUser, CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt,
		Request: rawOf(content.Request), RequestCut: content.RequestCut, RequestOmitted: content.RequestOmitted,
		Response: rawOf(content.Response), ResponseCut: content.ResponseCut, ResponseOmitted: content.ResponseOmitted,
	}}, nil
}

func unpack(packed []byte) (c PayloadContent, err error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostUnpacked))
	if err != nil {
		return c, err
	}
	defer z.Close()
	text, err := z.DecodeAll(packed, nil)
	if err != nil {
		return c, err
	}
	return c, strict.Unmarshal(text, &c, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func rawOf(v jsontext.Value) json.RawMessage {
	if len(v) == 0 {
		return json.RawMessage("null")
	}
	return json.RawMessage(v)
}

type payloadErasure struct {
	InWorkspace
	Body struct {
		User string `json:"user" minLength:"1" maxLength:"256" doc:"The owner of keys, or an end user as clients said it"`
	}
}

// Erased is how much was forgotten.
type Erased struct {
	Requests int64 `json:"requests" doc:"Of how many requests there is nothing kept any more"`
}

// erasePayloads forgets what is kept of a user.
func (a *api) erasePayloads(ctx context.Context, in *payloadErasure) (*one[Erased], error) {
	if in.Body.User == "" {
		return nil, huma.Error422UnprocessableEntity("user: it is empty")
	}
	out := &one[Erased]{}
	c := change{action: policy.PayloadsErase, target: "user/" + in.Body.User, workspace: in.Workspace}
	err := a.apply(ctx, &c, func(ctx context.Context) (err error) {
		out.Body.Requests, err = a.Store.ErasePayloads(ctx, in.Workspace, in.Body.User)
		c.after = out.Body
		return err
	})
	return out, err
}
