package openai

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// Body is the JSON object of a request under construction, in either of OpenAI's languages, and
// the names of what it cannot say.
type Body struct {
	Dst     []byte
	Dropped []string
}

// Drop notes, once, what the upstream cannot be told.
func (b *Body) Drop(name string) { b.Dropped = providers.AddDropped(b.Dropped, name) }

// Name begins a member behind another one.
func (b *Body) Name(name string) {
	b.Dst = append(append(append(b.Dst, ',', '"'), name...), '"', ':')
}

// Str says a member that is a string, unless it is empty.
func (b *Body) Str(name, value string) {
	if value != "" {
		b.Name(name)
		b.Dst = providers.AppendString(b.Dst, value)
	}
}

// Integer says a number, unless it was not said.
func (b *Body) Integer(name string, value *int64) {
	if value != nil {
		b.Name(name)
		b.Dst = strconv.AppendInt(b.Dst, *value, 10)
	}
}

// Decimal says a number, unless it was not said.
func (b *Body) Decimal(name string, value *float64) {
	if value != nil {
		b.Name(name)
		b.Dst = strconv.AppendFloat(b.Dst, *value, 'g', -1, 64)
	}
}

// Boolean says true or false, unless it was not said.
func (b *Body) Boolean(name string, value *bool) {
	if value != nil {
		b.Name(name)
		b.Dst = strconv.AppendBool(b.Dst, *value)
	}
}

// Separate puts a comma before an element, unless it is the first of its list.
func (b *Body) Separate() {
	if b.Dst[len(b.Dst)-1] != '[' {
		b.Dst = append(b.Dst, ',')
	}
}

// Account says who asks, in which tier, and with which labels.
func (b *Body) Account(req *providers.Request, call *providers.Call) {
	b.Str("user", call.EndUser)
	tier := req.ServiceTier
	if tier == "standard_only" { // Anthropic's word
		tier = "default"
	}
	b.Str("service_tier", tier)
	if len(req.Metadata) == 0 {
		return
	}
	b.Name("metadata")
	for i, l := range req.Metadata {
		b.Dst = append(providers.AppendString(append(b.Dst, "{,"[min(i, 1)]), l.Name), ':')
		b.Dst = providers.AppendString(b.Dst, l.Value)
	}
	b.Dst = append(b.Dst, '}')
}

// Choice says tool_choice, what it allows in the words of Responses. named writes the object that
// names one tool.
func (b *Body) Choice(choice *providers.ToolChoice, named func(name string)) {
	word := map[providers.ChoiceMode]string{
		providers.ChoiceAuto: "auto", providers.ChoiceNone: "none", providers.ChoiceAny: "required",
	}[choice.Mode]
	switch {
	case choice.Mode == providers.ChoiceTool:
		b.Name("tool_choice")
		named(choice.Name)
	case len(choice.Allowed) > 0:
		b.Name("tool_choice")
		b.Dst = providers.AppendString(append(b.Dst, `{"type":"allowed_tools","mode":`...), word)
		b.Dst = append(b.Dst, `,"tools":[`...)
		for _, name := range choice.Allowed {
			b.Separate()
			named(name)
		}
		b.Dst = append(b.Dst, "]}"...)
	default:
		b.Str("tool_choice", word)
	}
}
