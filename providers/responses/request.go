package responses

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// reader is one request on its way into the hub.
type reader struct {
	doc *providers.Document
	req *providers.Request
	talk
}

// ReadRequest implements providers.Face for POST /v1/responses. A field of the wrong type is a
// 400 that names its path, and so is one whose meaning only OpenAI's own store holds.
func (Face) ReadRequest(doc *providers.Document) (*providers.Request, error) {
	r := &reader{doc: doc, req: &providers.Request{}, talk: talk{names: map[string]string{}}}
	if err := r.conversation(); err != nil {
		return nil, err
	}
	for i := range doc.Fields {
		f := &doc.Fields[i]
		raw := doc.Raw[f.Start:f.End]
		if isNull(raw) {
			continue
		}
		if err := r.field(f.Name, raw); err != nil {
			return nil, err
		}
	}
	if r.req.Sampling.Logprobs == nil {
		r.req.Sampling.TopLogprobs = nil // without the ask to include them it shows nothing
	}
	return r.req, nil
}

func (r *reader) field(name string, raw []byte) error {
	switch name {
	case "model", "stream", "stream_options", "input", "instructions", "store":
		return nil // the call holds the model and whether it streams; the gateway itself stores
	case "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning", "include":
		return r.modelField(name, raw)
	case "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "top_logprobs", "max_output_tokens":
		return r.numberField(name, raw)
	case "user", "safety_identifier", "service_tier", "metadata":
		return r.accountField(name, raw)
	case "previous_response_id", "conversation", "prompt", "background":
		return r.storedField(name, raw)
	}
	r.extra(name, raw)
	return nil
}

func (r *reader) modelField(name string, raw []byte) error {
	switch name {
	case "tools":
		return r.tools(name, raw)
	case "tool_choice":
		return r.toolChoice(raw)
	case "parallel_tool_calls":
		return openai.Unmarshal(name, raw, &r.req.Parallel)
	case "text":
		return r.text(raw)
	case "reasoning":
		return r.reasoning(raw)
	}
	return r.include(raw)
}

func (r *reader) numberField(name string, raw []byte) error {
	s := &r.req.Sampling
	switch name {
	case "temperature":
		return openai.Unmarshal(name, raw, &s.Temperature)
	case "top_p":
		return openai.Unmarshal(name, raw, &s.TopP)
	case "frequency_penalty":
		return openai.Unmarshal(name, raw, &s.FrequencyPenalty)
	case "presence_penalty":
		return openai.Unmarshal(name, raw, &s.PresencePenalty)
	}
	n, _, err := r.doc.Int(name)
	if err != nil {
		return err
	}
	switch name {
	case "top_k":
		s.TopK = &n
	case "seed":
		s.Seed = &n
	case "top_logprobs":
		s.TopLogprobs = &n
	default:
		if n < 1 {
			return openai.Refuse(name, "integer_below_min_value",
				"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 1, but got "+strconv.FormatInt(n, 10)+" instead.")
		}
		r.req.MaxTokens = &n
	}
	return nil
}

func (r *reader) accountField(name string, raw []byte) error {
	switch name {
	case "service_tier":
		return openai.Unmarshal(name, raw, &r.req.ServiceTier)
	case "metadata":
		return r.metadata(raw)
	}
	var said string
	if err := openai.Unmarshal(name, raw, &said); err != nil {
		return err
	}
	if name == "safety_identifier" || r.req.User == "" {
		r.req.User = said
	}
	return nil
}

// metadata keeps the order in which the client wrote the labels.
func (r *reader) metadata(raw []byte) (err error) {
	var labels jsontext.Value
	if err := openai.Unmarshal("metadata", raw, &labels); err != nil {
		return err
	}
	if labels.Kind() != '{' {
		return wrongType("metadata", "an object", gjson.ParseBytes(raw))
	}
	gjson.ParseBytes(raw).ForEach(func(name, value gjson.Result) bool {
		if value.Type != gjson.String {
			err = wrongType("metadata."+name.Str, "a string", value)
			return false
		}
		r.req.Metadata = append(r.req.Metadata, providers.Label{Name: name.Str, Value: value.Str})
		return true
	})
	return err
}

// storedField refuses what lives in a store that this model's provider does not have. Turns that
// the gateway keeps have been put into the input before.
func (r *reader) storedField(name string, raw []byte) error {
	switch name {
	case "previous_response_id":
		return openai.Refuse(name, "previous_response_not_found", "The response named by 'previous_response_id' cannot be continued with this model: "+
			"its provider keeps none, and the gateway does so only for a key with the setting `store`. Send the whole input.")
	case "conversation":
		return openai.Refuse(name, "unsupported_parameter", "'conversation' is not supported with this model: "+
			"its provider keeps none, and the gateway does so only for a key with the setting `store`. Send the whole input.")
	case "prompt":
		return openai.Refuse(name, "unsupported_parameter", "'prompt' is not supported with this model: the prompt is stored with OpenAI, where the model's provider cannot read it.")
	}
	if string(raw) == "false" {
		return nil
	}
	return openai.Refuse(name, "unsupported_parameter", "'background' is not supported with this model: its provider makes no response in the background.")
}

func (r *reader) reasoning(raw []byte) error {
	var said struct {
		Effort  *string        `json:"effort"`
		Summary *string        `json:"summary"`
		Older   *string        `json:"generate_summary"`
		Rest    jsontext.Value `json:",embed"`
	}
	if err := openai.Unmarshal("reasoning", raw, &said); err != nil {
		return err
	}
	if said.Effort != nil {
		r.req.Reasoning.Effort = *said.Effort
	}
	if said.Summary != nil || said.Older != nil {
		show := true
		r.req.Reasoning.Show = &show
	}
	r.unread("reasoning", said.Rest)
	return nil
}

// include names what a reply shall hold beyond the usual. What belongs to hosted tools asks for
// nothing where there are none.
func (r *reader) include(raw []byte) error {
	var list []string
	if err := openai.Unmarshal("include", raw, &list); err != nil {
		return err
	}
	for _, name := range list {
		if name == "message.output_text.logprobs" {
			yes := true
			r.req.Sampling.Logprobs = &yes
		}
	}
	return nil
}

// extra keeps a field that the hub has no word for. Some that only bound or cache what OpenAI
// does by itself ask for nothing here.
func (r *reader) extra(name string, raw []byte) {
	owner := openai.Owner(name)
	switch name {
	case "truncation":
		if string(raw) == `"disabled"` {
			return // as everywhere
		}
		owner = Language
	case "context_management", "max_tool_calls":
		owner = Language
	}
	r.req.Extras = append(r.req.Extras, providers.Extra{Owner: owner, Name: name, Value: append([]byte(nil), raw...)})
}

// unread names each member of rest once, whatever number of items has it.
func (r *reader) unread(at string, rest jsontext.Value) {
	if len(rest) == 0 {
		return
	}
	gjson.ParseBytes(rest).ForEach(func(name, value gjson.Result) bool {
		switch value.Raw {
		case "null", "false", `""`, "[]", "{}": // asks for nothing
		default:
			r.req.Unread = providers.AddDropped(r.req.Unread, at+"."+name.Str)
		}
		return true
	})
}

func isNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

func wrongType(path, want string, got gjson.Result) *providers.Fault {
	return openai.Refuse(path, "invalid_type", "Invalid type for '"+path+"': expected "+want+", but got "+kindName(got)+" instead.")
}

func kindName(v gjson.Result) string {
	switch {
	case v.IsArray():
		return "an array"
	case v.IsObject():
		return "an object"
	case v.IsBool():
		return "a boolean"
	case v.Type == gjson.String:
		return "a string"
	case v.Type == gjson.Number:
		return "a number"
	}
	return "null"
}
