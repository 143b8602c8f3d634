package anthropic

import (
	"fmt"

	"github.com/aistrale/aistrale/providers"
)

// choiceWithout handles a tool choice where there are no tools: the API takes none then.
func (w *writer) choiceWithout() error {
	if mode := w.req.ToolChoice.Mode; mode == providers.ChoiceAny || mode == providers.ChoiceTool {
		return providers.Invalid("tool_choice", "'tool_choice' is only allowed when 'tools' are specified")
	}
	return nil
}

func (w *writer) writeChoice(tools []*providers.Tool) error {
	c := &w.req.ToolChoice
	single := w.req.Parallel != nil && !*w.req.Parallel
	kind, name := "", ""
	switch c.Mode {
	case providers.ChoiceUnset:
	case providers.ChoiceAuto:
		kind = "auto"
	case providers.ChoiceNone:
		kind = "none"
	case providers.ChoiceAny:
		kind = "any"
	case providers.ChoiceTool:
		sent, err := chosen(tools, c.Name)
		if err != nil {
			return err
		}
		kind, name = "tool", sent
	}
	// The API refuses a forced call while the model thinks.
	// Source: https://docs.claude.com/en/docs/build-with-claude/extended-thinking (tool use)
	if w.thinking.on() && (kind == "any" || kind == "tool") {
		w.drop("tool_choice")
		kind, name = "auto", ""
	}
	if kind == "" && single {
		kind = "auto"
	}
	if kind == "" || !w.field("tool_choice") {
		return nil
	}
	w.body = append(append(append(w.body, `{"type":"`...), kind...), '"')
	if name != "" {
		w.body = providers.AppendString(append(w.body, `,"name":`...), name)
	}
	if single && kind != "none" {
		w.body = append(w.body, `,"disable_parallel_tool_use":true`...)
	}
	w.body = append(w.body, '}')
	return nil
}

func chosen(tools []*providers.Tool, name string) (string, error) {
	for _, t := range tools {
		if t.Name == name && t.Type == "" {
			return toolName(name)
		}
	}
	return "", providers.Invalid("tool_choice", fmt.Sprintf("the tool '%s' of 'tool_choice' is not among the tools", name))
}
