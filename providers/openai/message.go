package openai

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// messageJSON is one message of any role, with the fields by which other gateways carry what
// OpenAI's form has no place for.
type messageJSON struct {
	Role       string         `json:"role"`
	Content    contentJSON    `json:"content"`
	Name       looseString    `json:"name"`
	Refusal    string         `json:"refusal"`
	Calls      []callJSON     `json:"tool_calls"`
	Legacy     *calledJSON    `json:"function_call"`
	CallID     string         `json:"tool_call_id"`
	Audio      *audioIDJSON   `json:"audio"`
	Cache      *cacheJSON     `json:"cache_control"`
	Breakpoint jsontext.Value `json:"prompt_cache_breakpoint"`
	Images     []imageJSON    `json:"images"` // that the model made, as OpenRouter and we write them
	Rest       jsontext.Value `json:",embed"`
	carried
}

type imageJSON struct {
	URL addressJSON `json:"image_url"`
}

type audioIDJSON struct {
	ID looseString `json:"id"`
}

type callJSON struct {
	ID       string      `json:"id"`
	Type     string      `json:"type"`
	Function *calledJSON `json:"function"`
	Custom   *struct {
		Name  string `json:"name"`
		Input string `json:"input"`
	} `json:"custom"`
	Cache    *cacheJSON     `json:"cache_control"`
	Extra    extraContent   `json:"extra_content"`
	Specific *specificJSON  `json:"provider_specific_fields"`
	Rest     jsontext.Value `json:",embed"`
}

type calledJSON struct {
	Name      string         `json:"name"`
	Arguments string         `json:"arguments"`
	Specific  *specificJSON  `json:"provider_specific_fields"`
	Rest      jsontext.Value `json:",embed"`
}

type specificJSON struct {
	Signature looseString `json:"thought_signature"`
}

// conversation is the turns as they are read, and the calls that results may answer.
type conversation struct {
	turns []providers.Turn
	names map[string]string // call id → function
	last  string            // id of the last legacy function_call
}

// usualLength bounds the room that is made for messages before one was read: they take a hundred times
// as much as the shortest text that is none.
const usualLength = 64

func (r *reader) messages() error {
	raw := r.doc.Value("messages")
	if isNull(raw) {
		return Missing("messages")
	}
	length := 0
	providers.Elements(raw, func([]byte) bool { length++; return true })
	list := make([]messageJSON, 0, min(length, usualLength))
	if err := Unmarshal("messages", raw, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		return Refuse("messages", "empty_array",
			"Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	}
	c := conversation{turns: make([]providers.Turn, 0, len(list))}
	for i := range list {
		if err := c.add(&list[i], i); err != nil {
			return err
		}
		r.unreadMessage(&list[i])
	}
	r.req.Turns = c.turns
	return nil
}

// called notes the name of a call's function.
func (c *conversation) called(id, name string) {
	if c.names == nil {
		c.names = map[string]string{}
	}
	c.names[id] = name
}

func (c *conversation) add(m *messageJSON, i int) error {
	path := "messages[" + strconv.Itoa(i) + "]"
	var turn providers.Turn
	var err error
	switch m.Role {
	case "system":
		turn, err = m.plain(providers.RoleSystem, path)
	case "developer":
		turn, err = m.plain(providers.RoleDeveloper, path)
	case "user":
		turn, err = m.plain(providers.RoleUser, path)
	case "assistant":
		turn, err = c.assistant(m, i, path)
	case "tool":
		return c.result(m, stripSuffix(m.CallID), path)
	case "function":
		id := c.last
		if id == "" || c.names[id] != string(m.Name) {
			id = legacyID(i)
		}
		c.called(id, string(m.Name))
		return c.result(m, id, path)
	case "":
		return Missing(path + ".role")
	default:
		return Refuse(path+".role", "invalid_value", fmt.Sprintf(
			"Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", m.Role))
	}
	if err != nil {
		return err
	}
	c.turns = append(c.turns, turn)
	return nil
}

func (m *messageJSON) plain(role providers.Role, path string) (providers.Turn, error) {
	blocks, err := m.Content.blocks(path)
	if err == nil && !m.Content.said {
		err = Refuse(path+".content", "invalid_type", fmt.Sprintf(
			"Invalid type for '%s.content': expected one of a string or array of objects, but got null instead.", path))
	}
	markLast(blocks, cacheMark(m.Cache, m.Breakpoint))
	return providers.Turn{Role: role, Name: string(m.Name), Blocks: blocks}, err
}

// markLast puts a message's own cache mark where it takes effect: behind its last block.
func markLast(blocks []providers.Block, mark *providers.CacheMark) {
	if len(blocks) > 0 && mark != nil && blocks[len(blocks)-1].Cache == nil {
		blocks[len(blocks)-1].Cache = mark
	}
}

func (c *conversation) assistant(m *messageJSON, i int, path string) (providers.Turn, error) {
	turn := providers.Turn{Role: providers.RoleAssistant, Name: string(m.Name)}
	content, err := m.Content.blocks(path)
	if err != nil {
		return turn, err
	}
	calls, err := m.calls(path, i)
	if err != nil {
		return turn, err
	}
	for k := range calls {
		c.called(calls[k].Call.ID, calls[k].Call.Name)
	}
	if m.Legacy != nil {
		c.last = legacyID(i)
	}
	if m.Audio != nil && m.Audio.ID != "" {
		content = append(content, providers.Block{Kind: providers.KindAudio, Media: &providers.Media{FileID: string(m.Audio.ID)}})
	}
	if m.Refusal != "" {
		content = append(content, providers.Block{Kind: providers.KindRefusal, Text: m.Refusal})
	}
	images, err := m.images(path)
	if err != nil {
		return turn, err
	}
	turn.Blocks = m.arrange(content, images, calls)
	markLast(turn.Blocks, cacheMark(m.Cache, m.Breakpoint))
	return turn, nil
}

// images reads those that the model made in an earlier turn.
func (m *messageJSON) images(path string) ([]providers.Block, error) {
	blocks := make([]providers.Block, 0, len(m.Images))
	for i := range m.Images {
		b, err := mediaBlock(providers.KindImage, fmt.Sprintf("%s.images[%d].image_url.url", path, i), m.Images[i].URL)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	return blocks, nil
}

func legacyID(message int) string { return fmt.Sprintf("call_function_%d", message) }

func (m *messageJSON) calls(path string, i int) ([]providers.Block, error) {
	blocks := make([]providers.Block, 0, len(m.Calls))
	for k := range m.Calls {
		b, err := m.Calls[k].block(fmt.Sprintf("%s.tool_calls[%d]", path, k))
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	if m.Legacy != nil {
		blocks = append(blocks, providers.Block{Kind: providers.KindToolCall, Call: &providers.ToolCall{
			ID: legacyID(i), Name: m.Legacy.Name, Arguments: m.Legacy.Arguments,
		}})
	}
	return blocks, nil
}

func (c *callJSON) block(path string) (providers.Block, error) {
	b := providers.Block{Kind: providers.KindToolCall, Cache: cacheMark(c.Cache, nil)}
	id, suffix := splitSuffix(c.ID)
	b.Seal = c.seal(suffix)
	switch {
	case c.Function != nil:
		b.Call = &providers.ToolCall{ID: id, Name: c.Function.Name, Arguments: c.Function.Arguments}
	case c.Custom != nil:
		b.Call = &providers.ToolCall{ID: id, Name: c.Custom.Name, Arguments: c.Custom.Input, Custom: true}
	default:
		return b, Missing(path + ".function")
	}
	if b.Call.Name == "" {
		return b, Missing(path + ".function.name")
	}
	return b, nil
}

// result adds a tool's answer. Answers that follow each other are one turn.
func (c *conversation) result(m *messageJSON, id, path string) error {
	if id == "" {
		return Missing(path + ".tool_call_id")
	}
	blocks, err := m.Content.blocks(path)
	if err != nil {
		return err
	}
	block := providers.Block{
		Kind:   providers.KindToolResult,
		Result: &providers.ToolResult{CallID: id, Name: c.names[id], Blocks: blocks},
		Cache:  cacheMark(m.Cache, m.Breakpoint),
	}
	if block.Result.Name == "" {
		block.Result.Name = string(m.Name)
	}
	if n := len(c.turns); n > 0 && c.turns[n-1].Role == providers.RoleTool {
		c.turns[n-1].Blocks = append(c.turns[n-1].Blocks, block)
		return nil
	}
	c.turns = append(c.turns, providers.Turn{Role: providers.RoleTool, Blocks: []providers.Block{block}})
	return nil
}

// thoughtMark separates a call's id from a signature that was hidden behind it for clients
// that drop unknown fields.
const thoughtMark = "__thought__"

func splitSuffix(id string) (bare, signature string) {
	bare, signature, _ = strings.Cut(id, thoughtMark)
	return bare, signature
}

func stripSuffix(id string) string {
	bare, _ := splitSuffix(id)
	return bare
}
