package anthropic

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// reader is one request of a client's on its way into the hub.
type reader struct {
	doc     *providers.Document
	req     *providers.Request
	names   map[string]string // of the calls, by id
	thinks  string            // thinking.type
	effort  string            // output_config.effort
	limited bool              // max_tokens was said
}

// ReadRequest implements providers.Face for POST /v1/messages. A field of the wrong type is a
// 400 that names its path.
func (Face) ReadRequest(doc *providers.Document) (*providers.Request, error) {
	r := &reader{doc: doc, req: &providers.Request{}, names: map[string]string{}}
	return r.read()
}

func (r *reader) read() (*providers.Request, error) {
	doc := r.doc
	if err := r.system(); err != nil {
		return nil, err
	}
	if err := r.messages(); err != nil {
		return nil, err
	}
	for i := range doc.Fields {
		f := &doc.Fields[i]
		raw := doc.Raw[f.Start:f.End]
		if raw[0] == 'n' {
			continue
		}
		if err := r.field(f.Name, raw); err != nil {
			return nil, err
		}
	}
	if !r.limited {
		return nil, required("max_tokens")
	}
	r.settleReasoning()
	return r.req, nil
}

func (r *reader) field(name string, raw []byte) error {
	switch name {
	case "model", "stream", "system", "messages":
		return nil // read, or in the call
	case "max_tokens":
		return r.maxTokens()
	case "tools":
		return r.tools(raw)
	case "tool_choice":
		return r.toolChoice(raw)
	case "thinking":
		return r.thinking(raw)
	case "output_config":
		return r.outputConfig(raw)
	case "output_format": // its name before output_config
		return r.format(name, raw)
	case "temperature":
		return unmarshal(name, raw, &r.req.Sampling.Temperature)
	case "top_p":
		return unmarshal(name, raw, &r.req.Sampling.TopP)
	case "top_k":
		return unmarshal(name, raw, &r.req.Sampling.TopK)
	case "stop_sequences":
		return unmarshal(name, raw, &r.req.Stop)
	case "service_tier":
		return unmarshal(name, raw, &r.req.ServiceTier)
	case "metadata":
		return r.metadata(raw)
	}
	r.req.Extras = append(r.req.Extras, providers.Extra{Owner: Language, Name: name, Value: clone(raw)})
	return nil
}

func (r *reader) maxTokens() error {
	n, _, err := r.doc.Int("max_tokens")
	switch {
	case err != nil:
		return wrong("max_tokens", "Input should be a valid integer")
	case n < 1:
		return wrong("max_tokens", "must be greater than or equal to 1")
	}
	r.req.MaxTokens, r.limited = &n, true
	return nil
}

func (r *reader) metadata(raw []byte) error {
	var said struct {
		User *string        `json:"user_id"`
		Rest jsontext.Value `json:",embed"`
	}
	if err := unmarshal("metadata", raw, &said); err != nil {
		return err
	}
	if said.User != nil {
		r.req.User = *said.User
	}
	r.unread("metadata", said.Rest)
	return nil
}

// thinking reads how the model shall think. An effort beside it, wherever it stands, says how
// much; what is switched off stays off.
func (r *reader) thinking(raw []byte) error {
	var said struct {
		Type    string         `json:"type"`
		Budget  *int64         `json:"budget_tokens"`
		Display string         `json:"display"`
		Rest    jsontext.Value `json:",embed"`
	}
	if err := unmarshal("thinking", raw, &said); err != nil {
		return err
	}
	r.unread("thinking", said.Rest)
	ask := &r.req.Reasoning
	switch r.thinks = said.Type; said.Type {
	case "disabled":
		return nil
	case "adaptive":
	case "enabled":
		if said.Budget == nil {
			return required("thinking.enabled.budget_tokens")
		}
		ask.Budget = said.Budget
	default:
		return wrong("thinking", fmt.Sprintf(
			"Input tag '%s' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'", said.Type))
	}
	show := said.Display != "omitted"
	ask.Show = &show
	return nil
}

func (r *reader) outputConfig(raw []byte) error {
	var said struct {
		Effort *string        `json:"effort"`
		Format jsontext.Value `json:"format"`
		Rest   jsontext.Value `json:",embed"`
	}
	if err := unmarshal("output_config", raw, &said); err != nil {
		return err
	}
	r.unread("output_config", said.Rest)
	if said.Effort != nil {
		r.effort = *said.Effort
	}
	if len(said.Format) == 0 || said.Format.Kind() == 'n' {
		return nil
	}
	return r.format("output_config.format", said.Format)
}

// settleReasoning puts together what two fields say.
func (r *reader) settleReasoning() {
	r.req.Reasoning.Effort = r.effort
	if r.thinks == "disabled" {
		r.req.Reasoning.Effort = "none"
	}
}

// format reads the schema of a structured output.
func (r *reader) format(path string, raw []byte) error {
	var said struct {
		Type   string         `json:"type"`
		Name   string         `json:"name"`
		Schema jsontext.Value `json:"schema"`
		Rest   jsontext.Value `json:",embed"`
	}
	if err := unmarshal(path, raw, &said); err != nil {
		return err
	}
	r.unread(path, said.Rest)
	if said.Type != "json_schema" {
		return wrong(path, fmt.Sprintf("Input tag '%s' found using 'type' does not match any of the expected tags: 'json_schema'", said.Type))
	}
	if len(said.Schema) == 0 || said.Schema.Kind() != '{' {
		return required(path + ".schema")
	}
	strict := true // the API holds the model to it
	r.req.Format = providers.Format{Kind: providers.FormatSchema, Name: said.Name, Schema: said.Schema, Strict: &strict}
	return nil
}

// unread names each member of rest once, whatever number of messages has it.
func (r *reader) unread(at string, rest jsontext.Value) {
	if len(rest) == 0 {
		return
	}
	gjson.ParseBytes(rest).ForEach(func(key, value gjson.Result) bool {
		switch value.Raw {
		case "null", "false", `""`, "[]", "{}":
		default:
			r.notSaid(at + "." + key.Str)
		}
		return true
	})
}

func (r *reader) notSaid(name string) {
	r.req.Unread = providers.AddDropped(r.req.Unread, name)
}
