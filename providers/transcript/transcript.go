// Package transcript says what a model was asked and answered in the JSON of OpenTelemetry's
// conventions for generative AI, which spans have it in, whatever language it was said in. Source:
// https://github.com/open-telemetry/semantic-conventions-genai/blob/2e994c6d59a93bb4fc1752c5378eedb9b8e14d6b/docs/gen-ai/gen-ai-input-messages.json
// and gen-ai-output-messages.json and gen-ai-system-instructions.json beside it.
package transcript

import (
	"encoding/json"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Asked gives the instructions that stand before the dialogue, an array of parts, and the dialogue,
// an array of messages. Each is nil where there is none.
func Asked(r *providers.Request) (instructions, messages []byte) {
	turns := r.Turns
	for len(turns) > 0 && instructs(turns[0].Role) {
		for i := range turns[0].Blocks {
			instructions = between(instructions)
			instructions = appendPart(instructions, &turns[0].Blocks[i])
		}
		turns = turns[1:]
	}
	for i := range turns {
		t := &turns[i]
		role := t.Role
		if instructs(role) {
			role = providers.RoleSystem
		}
		messages = append(between(messages), `{"role":"`...)
		messages = append(append(messages, role.String()...), `"`...)
		if t.Name != "" {
			messages = providers.AppendString(append(messages, `,"name":`...), t.Name)
		}
		messages = append(appendParts(append(messages, `,"parts":`...), t.Blocks), '}')
	}
	return closed(instructions), closed(messages)
}

func instructs(r providers.Role) bool {
	return r == providers.RoleSystem || r == providers.RoleDeveloper
}

// between begins an array, or goes on in it.
func between(array []byte) []byte {
	if len(array) == 0 {
		return append(array, '[')
	}
	return append(array, ',')
}

func closed(array []byte) []byte {
	if len(array) == 0 {
		return nil
	}
	return append(array, ']')
}

func appendParts(dst []byte, blocks []providers.Block) []byte {
	dst = append(dst, '[')
	for i := range blocks {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPart(dst, &blocks[i])
	}
	return append(dst, ']')
}

func appendPart(dst []byte, b *providers.Block) []byte {
	switch b.Kind {
	case providers.KindText, providers.KindRefusal:
		return append(providers.AppendString(append(dst, `{"type":"text","content":`...), b.Text), '}')
	case providers.KindReasoning:
		return append(providers.AppendString(append(dst, `{"type":"reasoning","content":`...), b.Text), '}')
	case providers.KindToolCall:
		if b.Call != nil {
			return appendCall(dst, b.Call)
		}
	case providers.KindToolResult:
		if b.Result != nil {
			return appendResult(dst, b.Result)
		}
	case providers.KindImage, providers.KindFile, providers.KindAudio:
		if b.Media != nil {
			return appendMedia(dst, b.Kind, b.Media)
		}
	}
	return append(dst, `{"type":"unknown"}`...)
}

func appendCall(dst []byte, c *providers.ToolCall) []byte {
	dst = append(dst, `{"type":"tool_call","id":`...)
	dst = providers.AppendString(append(providers.AppendString(dst, c.ID), `,"name":`...), c.Name)
	dst = append(dst, `,"arguments":`...)
	if c.Custom || !json.Valid([]byte(c.Arguments)) { // free text, or cut off
		return append(providers.AppendString(dst, c.Arguments), '}')
	}
	return append(append(dst, c.Arguments...), '}')
}

func appendResult(dst []byte, r *providers.ToolResult) []byte {
	dst = append(dst, `{"type":"tool_call_response","id":`...)
	dst = append(providers.AppendString(dst, r.CallID), `,"response":`...)
	if len(r.Blocks) == 1 && r.Blocks[0].Kind == providers.KindText {
		return append(providers.AppendString(dst, r.Blocks[0].Text), '}')
	}
	return append(appendParts(dst, r.Blocks), '}')
}

// appendMedia names what is no text, and where it lies; bytes are left out.
func appendMedia(dst []byte, k providers.Kind, m *providers.Media) []byte {
	kind, member, value := "blob", "content", ""
	switch {
	case m.FileID != "":
		kind, member, value = "file", "file_id", m.FileID
	case m.URL != "" && !strings.HasPrefix(m.URL, "data:"):
		kind, member, value = "uri", "uri", m.URL
	}
	modality := map[providers.Kind]string{providers.KindImage: "image", providers.KindAudio: "audio", providers.KindFile: "document"}[k]
	dst = append(append(append(dst, `{"type":"`...), kind...), `","modality":"`...)
	dst = append(append(dst, modality...), '"')
	if m.Type != "" {
		dst = providers.AppendString(append(dst, `,"mime_type":`...), m.Type)
	}
	dst = append(append(append(dst, `,"`...), member...), `":`...)
	return append(providers.AppendString(dst, value), '}')
}
