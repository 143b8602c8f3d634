package mock

import (
	"fmt"

	"github.com/tidwall/gjson"
)

// readMessages reads a Messages request, and refuses what Anthropic refuses: also fields that
// it does not know, for a gateway may not hand it another provider's.
// Source: https://docs.claude.com/en/api/messages
func readMessages(r *request) (*ask, *refusal) {
	m := messageReader{ask: newAsk(r.body, "")}
	if refused := r.fields(m.field); refused != nil {
		return nil, refused
	}
	return m.ask, m.check()
}

// readTokenCount reads a request to count what a message's prompt takes, which has no limit.
// Source: https://docs.claude.com/en/api/messages-count-tokens
func readTokenCount(r *request) (*ask, *refusal) {
	m := messageReader{ask: newAsk(r.body, "")}
	m.ask.counts = true
	if refused := r.fields(m.field); refused != nil {
		return nil, refused
	}
	return m.ask, m.check()
}

func writeTokenCount(dst []byte, _ *ask, ans *answer) []byte {
	return append(number(dst, `{"input_tokens":`, ans.usage.input), '}')
}

type messageReader struct {
	ask      *ask
	messages gjson.Result
	limit    gjson.Result // max_tokens
	budget   gjson.Result // thinking.budget_tokens
	choice   string
	warm     bool // a temperature other than 1, or top_k
	strict   bool // thinking is of the kind that demands a block before every call
}

func (m *messageReader) field(name string, v gjson.Result) *refusal {
	a := m.ask
	switch name {
	case "model":
		a.model = v.Str
	case "messages":
		m.messages = v
	case "max_tokens", "stream", "temperature", "top_k", "stop_sequences", "metadata", "service_tier":
		if m.ask.counts {
			return invalidf("%s: Extra inputs are not permitted", name)
		}
		return m.sampling(name, v)
	case "tools":
		return m.tools(v)
	case "tool_choice":
		return m.toolChoice(v)
	case "thinking":
		return m.thinking(v)
	case "output_config":
		a.schema = v.Get("format.schema")
	case "output_format":
		a.schema = v.Get("schema")
	case "system", "top_p", "container", "context_management",
		"mcp_servers", "cache_control", "inference_geo", "speed", "fallbacks", "betas":
	default:
		return invalidf("%s: Extra inputs are not permitted", name)
	}
	return nil
}

// sampling reads how the answer is made.
func (m *messageReader) sampling(name string, v gjson.Result) *refusal {
	switch name {
	case "max_tokens":
		m.limit = v
	case "stream":
		if !v.IsBool() {
			return invalidf("stream: Input should be a valid boolean")
		}
		m.ask.stream = v.Bool()
	case "temperature":
		if v.Type != gjson.Number || v.Num < 0 || v.Num > 1 {
			return invalidf("temperature: range: 0..1")
		}
		m.warm = m.warm || v.Num != 1
	case "top_k":
		m.warm = true
	}
	return nil
}

func (m *messageReader) tools(v gjson.Result) *refusal {
	for i, one := range v.Array() {
		name := one.Get("name").Str
		if kind := one.Get("type").Str; kind == "" || kind == "custom" {
			schema := one.Get("input_schema")
			at := fmt.Sprintf("tools.%d.custom", i)
			switch kind := schema.Get("type"); {
			case name == "":
				return invalidf("%s.name: Field required", at)
			case !isName(name):
				return invalidf("%s.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", at)
			case !schema.Exists():
				return invalidf("%s.input_schema: Field required", at)
			case !kind.Exists():
				return invalidf("%s.input_schema.type: Field required", at)
			case kind.Str != "object":
				return invalidf("%s.input_schema.type: Input should be 'object'", at)
			}
		}
		if _, twice := m.ask.tool(name); twice {
			return invalidf("tools: Tool names must be unique.")
		}
		m.ask.tools = append(m.ask.tools, tool{name, one.Get("input_schema")})
	}
	return nil
}

func (m *messageReader) toolChoice(v gjson.Result) *refusal {
	a := m.ask
	m.choice = v.Get("type").Str
	a.single = v.Get("disable_parallel_tool_use").Bool()
	switch m.choice {
	case "auto":
	case "none":
		a.choice = choiceNone
	case "any":
		a.choice = choiceAny
	case "tool":
		a.choice, a.forced = choiceAny, v.Get("name").Str
	default:
		return invalidf("tool_choice: Input tag '%s' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'", m.choice)
	}
	return nil
}

func (m *messageReader) thinking(v gjson.Result) *refusal {
	switch kind := v.Get("type").Str; kind {
	case "disabled":
	case "enabled":
		m.ask.thinks, m.strict = true, true
		m.budget = v.Get("budget_tokens")
		if !m.budget.Exists() {
			return invalidf("thinking.enabled.budget_tokens: Field required")
		}
		if m.budget.Int() < 1024 {
			return invalidf("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
		}
	case "adaptive":
		m.ask.thinks = true
	default:
		return invalidf("thinking: Input tag '%s' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'", kind)
	}
	m.ask.hideThoughts = v.Get("display").Str == "omitted"
	return nil
}

func (m *messageReader) check() *refusal {
	a := m.ask
	switch {
	case a.model == "":
		return invalidf("model: Field required")
	case !m.ask.counts && m.checkLimit() != nil:
		return m.checkLimit()
	case !m.messages.Exists():
		return invalidf("messages: Field required")
	case !m.messages.IsArray():
		return invalidf("messages: Input should be a valid list")
	case isMissing(a.model):
		return &refusal{status: 404, message: "model: " + a.model}
	case m.choice != "" && len(a.tools) == 0:
		return invalidf("tool_choice: may only be specified while providing tools")
	case a.thinks && m.warm:
		return invalidf("`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking")
	case a.thinks && a.choice == choiceAny:
		return invalidf("Thinking may not be enabled when tool_choice forces tool use.")
	case m.budget.Exists() && !m.ask.counts && m.limit.Int() <= m.budget.Int():
		return invalidf("`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size")
	}
	if _, ok := a.tool(a.forced); a.forced != "" && !ok {
		return invalidf("tool_choice: Tool '%s' not found in provided tools", a.forced)
	}
	if !m.ask.counts {
		a.most = m.limit.Int()
	}
	return m.readTurns()
}

func (m *messageReader) checkLimit() *refusal {
	switch {
	case !m.limit.Exists():
		return invalidf("max_tokens: Field required")
	case m.limit.Type != gjson.Number:
		return invalidf("max_tokens: Input should be a valid integer")
	case m.limit.Int() < 1:
		return invalidf("max_tokens: must be greater than or equal to 1")
	}
	return nil
}
