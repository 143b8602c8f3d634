package providertest

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// Setting is call.json: how the gateway makes the call of a golden case. Everything has a
// default: the model is the request's own, "provider/model" is split at the first slash, and
// stream and usage are what the request asks for.
type Setting struct {
	Op       string                     `json:"op"`    // as providers.Op spells it, "" chat
	Asked    string                     `json:"asked"` // the public model's name, where it stands in the path
	Exact    bool                       `json:"exact"`
	Provider string                     `json:"provider"`
	Model    string                     `json:"model"`
	Path     string                     `json:"path"`
	Stream   *bool                      `json:"stream"`
	EndUser  string                     `json:"end_user"`
	Can      providers.Capabilities     `json:"can"`
	Quirks   providers.Quirks           `json:"quirks"`
	Fetched  map[string]providers.Media `json:"fetched"`
	Files    []providers.File           `json:"files"`
	Clamp    int64                      `json:"clamp"`
	// Cut is after how many events the gateway ends the stream; 0 is never.
	Cut int `json:"cut"`
	// Status and Headers are the upstream's refusal.
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
}

// Call makes the call of a scanned request, with an id and a time that never change.
func (s *Setting) Call(doc *providers.Document) (providers.Call, error) {
	asked, _, err := doc.String("model")
	if err != nil {
		return providers.Call{}, err
	}
	if s.Asked != "" {
		asked = s.Asked
	}
	stream, _, err := doc.Bool("stream")
	if err != nil {
		return providers.Call{}, err
	}
	call := providers.Call{
		Op: providers.OpChat, Doc: doc, Asked: asked, Model: s.Model, Provider: s.Provider, Path: s.Path, Stream: stream,
		ID: "req_golden", Created: time.Unix(1700000000, 0), EndUser: s.EndUser, Can: s.Can, Quirks: s.Quirks, Fetched: s.Fetched,
		Clamp: s.Clamp, Files: s.Files, Form: len(s.Files) > 0,
	}
	for op := providers.OpChat; s.Op != "" && call.Op.String() != s.Op; op++ {
		if call.Op = op; op.String() == "unknown" {
			return call, fmt.Errorf("call.json: unknown op %q", s.Op)
		}
	}
	provider, model, ok := strings.Cut(asked, "/")
	if call.Model == "" && ok {
		call.Model = model
	} else if call.Model == "" {
		call.Model = asked
	}
	if call.Provider == "" && ok {
		call.Provider = provider
	}
	if s.Stream != nil {
		call.Stream = *s.Stream
	}
	var options struct {
		Usage bool `json:"include_usage"`
	}
	if raw := doc.Value("stream_options"); len(raw) > 0 {
		if err := json.Unmarshal(raw, &options); err != nil {
			return call, err
		}
	}
	call.IncludeUsage = options.Usage
	return call, nil
}

func summarize(p providers.Plan) []byte {
	type request struct {
		Path    string              `json:"path,omitzero"`
		Headers []providers.Header  `json:"headers,omitzero"`
		File    string              `json:"file,omitzero"`
		Type    string              `json:"type,omitzero"`
		Inline  []providers.Inlined `json:"inline,omitzero"`
	}
	out := struct {
		Requests  []request `json:"requests,omitzero"`
		Fetch     []string  `json:"fetch,omitzero"`
		Dropped   []string  `json:"dropped,omitzero"`
		HideUsage bool      `json:"hide_usage,omitzero"`
		Clamped   string    `json:"clamped,omitzero"`
		MaxOutput int64     `json:"max_output,omitzero"`
	}{Fetch: p.Fetch, Dropped: p.Dropped, HideUsage: p.HideUsage, Clamped: p.Clamped}
	if p.Clamped != "" {
		out.MaxOutput = p.MaxOutput
	}
	for _, r := range p.Requests {
		out.Requests = append(out.Requests, request{r.Path, r.Headers, r.File, r.Type, r.Inline})
	}
	return encode(out)
}

func observed(t *testing.T, dialect providers.Dialect, stream bool, body io.Reader) []byte {
	t.Helper()
	var out struct {
		Content int               `json:"content"`
		Usage   *providers.Normal `json:"usage,omitzero"`
		Raw     jsontext.Value    `json:"usage_raw,omitzero"`
		Finish  string            `json:"finish,omitzero"`
		Fault   jsontext.Value    `json:"fault,omitzero"`
		End     bool              `json:"end,omitzero"`
	}
	var usage providers.Usage
	err := Frames(stream, body, func(_, data []byte) {
		if data == nil {
			return
		}
		seen := dialect.Observe(data)
		out.Content += seen.Content
		out.End = out.End || seen.End
		if seen.Finish != "" {
			out.Finish = seen.Finish
		}
		if seen.HasUsage {
			usage.Merge(seen.Usage)
			total := usage.Total()
			out.Usage, out.Raw = &total, usage.Raw
		}
		if seen.Fault != nil {
			out.Fault = describe(seen.Fault, seen.Fault.Status)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return encode(out)
}

func describe(f *providers.Fault, status int) []byte {
	return encode(struct {
		Status     int                 `json:"status"`
		Kind       providers.FaultKind `json:"kind"`
		Type       string              `json:"type,omitzero"`
		Code       string              `json:"code,omitzero"`
		Param      string              `json:"param,omitzero"`
		Message    string              `json:"message"`
		Retryable  bool                `json:"retryable"`
		RetryAfter float64             `json:"retry_after_seconds,omitzero"`
		NoRetry    bool                `json:"no_retry,omitzero"`
		AsItCame   bool                `json:"as_it_came,omitzero"`
	}{status, f.Kind, f.Type, f.Code, f.Param, f.Message, f.Retryable, f.RetryAfter.Seconds(), f.NoRetry, len(f.Body) > 0})
}

// encode is JSON of a value that always has one.
func encode(v any) []byte {
	out, err := json.Marshal(v, jsontext.WithIndent("  "))
	if err != nil {
		panic(err)
	}
	return out
}
