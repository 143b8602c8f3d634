package responses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// talk is the turns as they are read, the calls that results may answer, and seals that stand
// in items of their own.
type talk struct {
	names map[string]string // call id → function
	seals map[string]*providers.Seal
	// message is set while the last block of the last turn is a message's: another one begins a
	// turn of its own.
	message bool
}

// itemJSON is one input item of any type.
type itemJSON struct {
	Type      string         `json:"type"`
	Role      string         `json:"role"`
	Content   contentJSON    `json:"content"`
	ID        string         `json:"id"`
	CallID    string         `json:"call_id"`
	Name      string         `json:"name"`
	Arguments textOrRaw      `json:"arguments"`
	Input     textOrRaw      `json:"input"`
	Output    contentJSON    `json:"output"`
	Summary   []summaryJSON  `json:"summary"`
	Encrypted string         `json:"encrypted_content"`
	Tools     jsontext.Value `json:"tools"`
	Result    string         `json:"result"`
	Status    jsontext.Value `json:"status"`
	Phase     jsontext.Value `json:"phase"`
	Specific  jsontext.Value `json:"provider_specific_fields"`
	Rest      jsontext.Value `json:",embed"`
}

type summaryJSON struct {
	Text string         `json:"text"`
	Rest jsontext.Value `json:",embed"`
}

// textOrRaw is a text, or another value as it stands.
type textOrRaw string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *textOrRaw) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '"':
		return json.UnmarshalDecode(dec, (*string)(t))
	case 'n':
		return dec.SkipValue()
	}
	raw, err := dec.ReadValue()
	*t = textOrRaw(raw)
	return err
}

// conversation reads the instructions and the input into turns.
func (r *reader) conversation() error {
	said, ok, err := r.doc.String("instructions")
	if err != nil {
		return err
	}
	if ok && said != "" {
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: providers.RoleSystem, Blocks: []providers.Block{{Kind: providers.KindText, Text: said}}})
	}
	raw := r.doc.Value("input")
	if isNull(raw) {
		return openai.Missing("input")
	}
	if raw[0] == '"' {
		text, _, err := r.doc.String("input")
		r.add(providers.RoleUser, providers.Block{Kind: providers.KindText, Text: text})
		return err
	}
	var list []jsontext.Value
	if err := openai.Unmarshal("input", raw, &list); err != nil {
		return err
	}
	for i, v := range list {
		path := fmt.Sprintf("input[%d]", i)
		if err := unknown(gjson.ParseBytes(v), path); err != nil {
			return err
		}
		var it itemJSON
		if err := openai.Unmarshal(path, v, &it); err != nil {
			return err
		}
		if err := r.item(&it, path); err != nil {
			return err
		}
	}
	r.sealCalls()
	return nil
}

// unknown refuses an item of a type that only OpenAI's own tools make, before its members are
// looked at.
func unknown(item gjson.Result, path string) error {
	kind := item.Get("type")
	if kind.Type != gjson.String || slices.Contains(itemTypes, kind.Str) {
		return nil
	}
	return openai.Refuse(path+".type", "invalid_value", fmt.Sprintf("Invalid value: '%s'. This model's provider takes no items of that type.", kind.Str))
}

// itemTypes are those that can be told to other providers, left behind, or refused for a reason
// of their own.
var itemTypes = []string{
	"message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
	"image_generation_call", "additional_tools", "web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools", "mcp_call",
	"compaction", "compaction_summary", "item_reference", "",
}

// item reads one item. What a hosted tool did on its own server is left behind by name; what the
// conversation cannot go on without is refused by name.
func (r *reader) item(it *itemJSON, path string) error {
	message := it.Type == "message" || it.Type == "" && it.Role != ""
	if !message {
		r.message = false
	}
	switch it.Type {
	case "reasoning":
		r.thought(it)
	case "function_call", "custom_tool_call":
		return r.call(it, path)
	case "function_call_output", "custom_tool_call_output":
		return r.result(it, path)
	case "image_generation_call":
		if it.Result != "" {
			r.add(providers.RoleAssistant, providers.Block{Kind: providers.KindImage, Media: &providers.Media{Type: "image/png", Data: it.Result}})
			return nil
		}
		r.leave(it.Type)
	case "additional_tools":
		return r.tools(path+".tools", it.Tools)
	case "web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools", "mcp_call":
		r.leave(it.Type) // what it found is in the answer behind it
	case "compaction", "compaction_summary":
		return openai.Refuse(path+".type", "invalid_value", fmt.Sprintf("Invalid '%s': a compacted conversation can be read only by the provider that compacted it.", path))
	case "item_reference":
		return noItem(path+".id", it.ID)
	default:
		switch {
		case message:
			return r.said(it, path)
		case it.ID != "": // a reference, whose type may be left out
			return noItem(path+".id", it.ID)
		}
		return openai.Missing(path + ".type")
	}
	return nil
}

func (r *reader) leave(kind string) {
	r.req.Unread = providers.AddDropped(r.req.Unread, "input."+kind)
}

// add puts a block at the end of the last turn, where that is the same speaker's, else into one
// of its own. Neighbours of the user and of instructions stay apart.
func (r *reader) add(role providers.Role, b providers.Block) {
	n := len(r.req.Turns)
	if n > 0 && r.req.Turns[n-1].Role == role && (role == providers.RoleAssistant || role == providers.RoleTool) {
		r.req.Turns[n-1].Blocks = append(r.req.Turns[n-1].Blocks, b)
		return
	}
	r.req.Turns = append(r.req.Turns, providers.Turn{Role: role, Blocks: []providers.Block{b}})
}

// said reads a message.
func (r *reader) said(it *itemJSON, path string) error {
	role, ok := map[string]providers.Role{
		"user": providers.RoleUser, "assistant": providers.RoleAssistant, "system": providers.RoleSystem, "developer": providers.RoleDeveloper,
	}[it.Role]
	if !ok {
		return openai.Refuse(path+".role", "invalid_value",
			fmt.Sprintf("Invalid value: '%s'. Supported values are: 'assistant', 'system', 'developer', and 'user'.", it.Role))
	}
	r.unread("input", it.Rest)
	blocks, err := r.blocks(&it.Content, path+".content")
	if err != nil {
		return err
	}
	if role != providers.RoleAssistant || r.message {
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: role, Blocks: blocks})
	} else {
		for i := range blocks {
			r.add(role, blocks[i])
		}
	}
	r.message = role == providers.RoleAssistant && len(blocks) > 0
	return nil
}

// thought reads reasoning, or the seal of another block that stands in an item of this type.
func (r *reader) thought(it *itemJSON) {
	seal, on := unpackSeal(it.Encrypted, it.ID)
	switch on {
	case "":
		text := make([]string, 0, len(it.Summary))
		for i := range it.Summary {
			text = append(text, it.Summary[i].Text)
		}
		if len(text) == 0 {
			for i := range it.Content.parts {
				text = append(text, it.Content.parts[i].Text)
			}
		}
		b := providers.Block{Kind: providers.KindReasoning, Text: strings.Join(text, "\n\n"), Seal: seal}
		if b.Text != "" || seal != nil {
			r.add(providers.RoleAssistant, b)
		}
	case onEmpty:
		r.add(providers.RoleAssistant, providers.Block{Kind: providers.KindText, Seal: seal})
	case onBefore:
		if n := len(r.req.Turns); n > 0 && r.req.Turns[n-1].Role == providers.RoleAssistant {
			blocks := r.req.Turns[n-1].Blocks
			blocks[len(blocks)-1].Seal = seal
		}
	default:
		if r.seals == nil {
			r.seals = map[string]*providers.Seal{}
		}
		r.seals[on] = seal
	}
	r.unread("input.reasoning", it.Rest)
}

// sealCalls puts the seals of calls on them, wherever the client has put the items since.
func (r *reader) sealCalls() {
	for i := range r.req.Turns {
		for j := range r.req.Turns[i].Blocks {
			b := &r.req.Turns[i].Blocks[j]
			if b.Kind == providers.KindToolCall && r.seals[b.Call.ID] != nil {
				b.Seal = r.seals[b.Call.ID]
			}
		}
	}
}

func (r *reader) call(it *itemJSON, path string) error {
	if it.CallID == "" {
		return openai.Missing(path + ".call_id")
	}
	if it.Name == "" {
		return openai.Missing(path + ".name")
	}
	c := &providers.ToolCall{ID: it.CallID, Name: it.Name, Arguments: string(it.Arguments)}
	if it.Type == "custom_tool_call" {
		c.Arguments, c.Custom = string(it.Input), true
	}
	r.names[c.ID] = c.Name
	r.add(providers.RoleAssistant, providers.Block{Kind: providers.KindToolCall, Call: c})
	r.unread("input."+it.Type, it.Rest)
	return nil
}

func (r *reader) result(it *itemJSON, path string) error {
	if it.CallID == "" {
		return openai.Missing(path + ".call_id")
	}
	blocks, err := r.blocks(&it.Output, path+".output")
	if err != nil {
		return err
	}
	r.add(providers.RoleTool, providers.Block{Kind: providers.KindToolResult, Result: &providers.ToolResult{
		CallID: it.CallID, Name: r.names[it.CallID], Blocks: blocks,
	}})
	r.unread("input."+it.Type, it.Rest)
	return nil
}
