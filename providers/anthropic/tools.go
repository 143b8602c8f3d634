package anthropic

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/schema"
)

// emptySchema is that of a tool without parameters; the API requires one.
const emptySchema = `{"type":"object","properties":{}}`

func (w *writer) writeTools() error {
	tools, err := w.offered()
	if err != nil {
		return err
	}
	if len(tools) == 0 {
		return w.choiceWithout()
	}
	if !w.field("tools") {
		return nil
	}
	w.body = append(w.body, '[')
	for i, t := range tools {
		w.comma(i)
		if err := w.tool(t); err != nil {
			return err
		}
	}
	w.body = append(w.body, ']')
	return w.writeChoice(tools)
}

// offered gives the tools that the model may call: those allowed, each name once.
func (w *writer) offered() ([]*providers.Tool, error) {
	allowed := map[string]bool{} // by name, and whether it is among the tools
	for _, name := range w.req.ToolChoice.Allowed {
		allowed[name] = false
	}
	var tools []*providers.Tool
	named := map[string]*providers.Tool{}
	for i := range w.req.Tools {
		t := &w.req.Tools[i]
		if t.Custom {
			return nil, providers.Invalid("tools", fmt.Sprintf("anthropic has no custom tools: '%s' cannot be sent", t.Name))
		}
		if _, ok := allowed[t.Name]; ok {
			allowed[t.Name] = true
		} else if len(allowed) > 0 {
			continue
		}
		twin := named[t.Name]
		switch {
		case twin == nil || t.Type != "":
			tools = append(tools, t)
		case twin.Description != t.Description || !bytes.Equal(twin.Schema, t.Schema):
			return nil, providers.Invalid("tools", fmt.Sprintf("two different tools have the name '%s'", t.Name))
		}
		if t.Type == "" {
			named[t.Name] = t
		}
	}
	for _, name := range w.req.ToolChoice.Allowed {
		if !allowed[name] {
			return nil, providers.Invalid("tool_choice", fmt.Sprintf("the allowed tool '%s' is not among the tools", name))
		}
	}
	if search, err := w.webSearch(); err != nil || search != nil {
		return append(tools, search), err
	}
	return tools, nil
}

func (w *writer) tool(t *providers.Tool) error {
	if t.Type != "" {
		return w.serverTool(t)
	}
	name, err := toolName(t.Name)
	if err != nil {
		return err
	}
	w.body = providers.AppendString(append(w.body, `{"name":`...), name)
	if t.Description != "" {
		w.body = providers.AppendString(append(w.body, `,"description":`...), t.Description)
	}
	input, strict, err := w.inputSchema(t)
	if err != nil {
		return err
	}
	w.body = append(append(w.body, `,"input_schema":`...), input...)
	if strict {
		w.body = append(w.body, `,"strict":true`...)
	}
	w.mark(t.Cache)
	w.body = append(w.body, '}')
	return nil
}

// inputSchema gives the client's own bytes wherever the API takes them, so that equal requests
// meet the provider's prompt cache. strict wants the API's subset of JSON Schema.
func (w *writer) inputSchema(t *providers.Tool) (input []byte, strict bool, err error) {
	if len(t.Schema) == 0 || string(t.Schema) == "null" {
		return []byte(emptySchema), false, nil
	}
	bad := func(why string) error {
		return providers.Invalid("tools.function.parameters", fmt.Sprintf("the parameters of the tool '%s' %s", t.Name, why))
	}
	root, err := schema.Parse(t.Schema)
	switch {
	case err != nil:
		return nil, false, bad("are no usable JSON Schema: " + err.Error())
	case root.Kind != schema.Object:
		return nil, false, bad("are not a JSON object")
	}
	own := root.Get("type").Is(`"object"`)
	if !own && !objectRoot(root) {
		return nil, false, bad(`must be a schema of type "object"`)
	}
	if t.Strict != nil && *t.Strict {
		if held, ok := w.strictSchema(root); ok {
			return held, true, nil
		}
		w.drop("tools.function.strict")
	}
	if own {
		return t.Schema, false, nil
	}
	return root.Append(nil), false, nil
}

// strictSchema gives the schema in the subset that the API can hold a call to, where it fits.
func (w *writer) strictSchema(root *schema.Node) ([]byte, bool) {
	if w.call.Can.NoStructuredOutput || recursive(root) {
		return nil, false
	}
	held, err := schema.Parse(root.Append(nil))
	if err != nil || restrict(held) {
		return nil, false
	}
	return held.Append(nil), true
}

// objectRoot says the object at the root that the API wants said, where the schema left it open.
func objectRoot(root *schema.Node) bool {
	kind := root.Get("type")
	open := kind == nil || kind.Is("null")
	if kind != nil && kind.Kind == schema.Array {
		open = slices.ContainsFunc(kind.Items, func(n *schema.Node) bool { return n.Is(`"object"`) })
	}
	if open {
		root.Delete("type")
		root.Members = append([]schema.Member{{Name: "type", Value: schema.String("object")}}, root.Members...)
	}
	return open
}

// serverTool passes a tool of Anthropic's own as the client wrote it, and the search of others as it.
func (w *writer) serverTool(t *providers.Tool) error {
	if providers.WebSearch(t.Type) && !anthropicTool(t.Type) {
		for _, name := range t.LostOptions("user_location") {
			w.drop(name)
		}
		t = searchTool(gjson.GetBytes(t.Raw, "user_location"))
	}
	if !anthropicTool(t.Type) || !gjson.ValidBytes(t.Raw) {
		return providers.Invalid("tools", fmt.Sprintf("anthropic has no tool of type '%s'", t.Type))
	}
	for _, b := range toolBetas {
		if strings.HasPrefix(t.Type, b.kind) {
			w.beta(b.beta)
		}
	}
	if gjson.GetBytes(t.Raw, "cache_control").IsObject() {
		w.fixed++
	}
	w.body = append(w.body, t.Raw...)
	return nil
}

// toolBetas are the features that the API wants named for tools still in beta.
var toolBetas = []struct{ kind, beta string }{
	{"computer_20241022", "computer-use-2024-10-22"},
	{"computer_20250124", "computer-use-2025-01-24"},
	{"computer_20251124", "computer-use-2025-11-24"},
	{"code_execution_20250522", "code-execution-2025-05-22"},
	{"code_execution_20250825", "code-execution-2025-08-25"},
	{"web_fetch_20250910", "web-fetch-2025-09-10"},
	{"memory_", "context-management-2025-06-27"},
	{"tool_search_tool_", "advanced-tool-use-2025-11-20"},
	{"advisor_", "advisor-tool-2026-03-01"},
	{"mcp_toolset", mcpBeta},
}

// anthropicTool knows the API's own tools by their form: a name and the day of their version.
func anthropicTool(kind string) bool {
	name, day, ok := cutLast(kind, "_")
	if kind == "mcp_toolset" {
		return true
	}
	if !ok || name == "" || len(day) != 8 || !strings.HasPrefix(day, "20") || strings.Trim(day, "0123456789") != "" {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
