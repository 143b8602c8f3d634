package responses

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// toolJSON is one entry of tools.
type toolJSON struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description textOrRaw      `json:"description"`
	Parameters  jsontext.Value `json:"parameters"`
	Strict      *bool          `json:"strict"`
	Format      jsontext.Value `json:"format"`
	Rest        jsontext.Value `json:",embed"`
}

// tools reads functions and custom tools. A hosted tool stays as it was written: a dialect that
// lacks it refuses it by name.
func (r *reader) tools(path string, raw []byte) error {
	var list []jsontext.Value
	if err := openai.Unmarshal(path, raw, &list); err != nil {
		return err
	}
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		kind := gjson.GetBytes(v, "type")
		if kind.Str != "" && kind.Str != "function" && kind.Str != "custom" {
			r.req.Tools = append(r.req.Tools, providers.Tool{Type: kind.Str, Raw: v.Clone()})
			continue
		}
		var t toolJSON
		if err := openai.Unmarshal(at, v, &t); err != nil {
			return err
		}
		if t.Type == "" {
			return openai.Missing(at + ".type")
		}
		if t.Name == "" {
			return openai.Missing(at + ".name")
		}
		r.req.Tools = append(r.req.Tools, t.tool())
		r.unread("tools", t.Rest)
	}
	return nil
}

func (t *toolJSON) tool() providers.Tool {
	if t.Type == "custom" {
		return providers.Tool{Name: t.Name, Description: string(t.Description), Custom: true, Schema: chatFormat(t.Format)}
	}
	out := providers.Tool{Name: t.Name, Description: string(t.Description), Strict: t.Strict}
	if !isNull(t.Parameters) {
		out.Schema = t.Parameters
	}
	return out
}

// chatFormat says a custom tool's format in Chat's words, which are the hub's: what a grammar
// says stands one level deeper there.
func chatFormat(format []byte) []byte {
	if isNull(format) {
		return nil
	}
	f := gjson.ParseBytes(format)
	if f.Get("type").Str != "grammar" || f.Get("grammar").Exists() {
		return format
	}
	dst := append([]byte(nil), `{"type":"grammar","grammar":{"syntax":`...)
	dst = providers.AppendString(dst, f.Get("syntax").Str)
	dst = providers.AppendString(append(dst, `,"definition":`...), f.Get("definition").Str)
	return append(dst, "}}"...)
}

// choiceJSON is tool_choice: a word or an object.
type choiceJSON struct {
	word string
	chosen
}

type chosen struct {
	Type  string   `json:"type"`
	Name  string   `json:"name"`
	Mode  string   `json:"mode"`
	Tools []chosen `json:"tools"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (c *choiceJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '"' {
		return json.UnmarshalDecode(dec, &c.word)
	}
	return json.UnmarshalDecode(dec, &c.chosen)
}

func (r *reader) toolChoice(raw []byte) error {
	var c choiceJSON
	if err := openai.Unmarshal("tool_choice", raw, &c); err != nil {
		return err
	}
	switch c.Type {
	case "allowed_tools":
		return r.allowed(&c.chosen)
	case "function", "custom":
		if c.Name == "" {
			return openai.Missing("tool_choice.name")
		}
		r.req.ToolChoice = providers.ToolChoice{Mode: providers.ChoiceTool, Name: c.Name}
		return nil
	case "":
		mode, ok := choiceMode(c.word)
		if !ok {
			return openai.Refuse("tool_choice", "invalid_value", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'none', 'auto', and 'required'.", c.word))
		}
		r.req.ToolChoice.Mode = mode
		return nil
	}
	return openai.Refuse("tool_choice.type", "invalid_value", fmt.Sprintf("Invalid value: '%s'. This model's provider has no hosted tool of that type.", c.Type))
}

func choiceMode(word string) (providers.ChoiceMode, bool) {
	switch word {
	case "auto":
		return providers.ChoiceAuto, true
	case "none":
		return providers.ChoiceNone, true
	case "required":
		return providers.ChoiceAny, true
	}
	return providers.ChoiceUnset, false
}

func (r *reader) allowed(c *chosen) error {
	mode, ok := choiceMode(c.Mode)
	if !ok || mode == providers.ChoiceNone {
		return openai.Refuse("tool_choice.mode", "invalid_value", "Invalid value for 'tool_choice.mode': expected 'auto' or 'required'.")
	}
	choice := providers.ToolChoice{Mode: mode}
	for i := range c.Tools {
		t := &c.Tools[i]
		if t.Type != "function" && t.Type != "custom" {
			return openai.Refuse(fmt.Sprintf("tool_choice.tools[%d].type", i), "invalid_value",
				fmt.Sprintf("Invalid value: '%s'. This model's provider has no hosted tool of that type.", t.Type))
		}
		choice.Allowed = append(choice.Allowed, t.Name)
	}
	r.req.ToolChoice = choice
	return nil
}

// text reads the output's format and how much it shall say.
func (r *reader) text(raw []byte) error {
	var said struct {
		Format *struct {
			Type        string         `json:"type"`
			Name        string         `json:"name"`
			Description textOrRaw      `json:"description"`
			Schema      jsontext.Value `json:"schema"`
			Strict      *bool          `json:"strict"`
			Rest        jsontext.Value `json:",embed"`
		} `json:"format"`
		Verbosity textOrRaw      `json:"verbosity"`
		Rest      jsontext.Value `json:",embed"`
	}
	if err := openai.Unmarshal("text", raw, &said); err != nil {
		return err
	}
	r.unread("text", said.Rest)
	if said.Verbosity != "" {
		r.req.Extras = append(r.req.Extras, providers.Extra{Owner: openaiMinter, Name: "verbosity", Value: providers.AppendString(nil, string(said.Verbosity))})
	}
	f := said.Format
	if f == nil {
		return nil
	}
	r.unread("text.format", f.Rest)
	switch f.Type {
	case "text":
		r.req.Format.Kind = providers.FormatText
	case "json_object":
		r.req.Format.Kind = providers.FormatJSON
	case "json_schema":
		if isNull(f.Schema) {
			return openai.Missing("text.format.schema")
		}
		r.req.Format = providers.Format{
			Kind: providers.FormatSchema, Name: f.Name, Description: string(f.Description), Schema: f.Schema, Strict: f.Strict,
		}
	case "":
		return openai.Missing("text.format.type")
	default:
		return openai.Refuse("text.format.type", "invalid_value", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", f.Type))
	}
	return nil
}
