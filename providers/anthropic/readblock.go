package anthropic

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// blockJSON is one block of content, of any type.
type blockJSON struct {
	Type      string         `json:"type"`
	Text      string         `json:"text"`
	Thinking  string         `json:"thinking"`
	Signature string         `json:"signature"`
	Data      string         `json:"data"`
	Source    jsontext.Value `json:"source"`
	Title     *string        `json:"title"`
	Context   *string        `json:"context"`
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Input     jsontext.Value `json:"input"`
	CallID    string         `json:"tool_use_id"`
	Content   jsontext.Value `json:"content"`
	IsError   *bool          `json:"is_error"`
	Cache     *cacheJSON     `json:"cache_control"`
	Citations jsontext.Value `json:"citations"` // said of a text it is a reply's, which nobody reads again
	Caller    jsontext.Value `json:"caller"`    // a reply's too
	Rest      jsontext.Value `json:",embed"`
}

// block reads one block; a document that is made of blocks is several.
func (r *reader) block(path string, b *blockJSON) ([]providers.Block, error) {
	out := providers.Block{Cache: r.mark(b.Cache)}
	var err error
	switch b.Type {
	case "text":
		out.Kind, out.Text = providers.KindText, b.Text
	case "thinking":
		out.Kind, out.Text, out.Seal = providers.KindReasoning, b.Thinking, sealOf(b.Signature, "")
	case "redacted_thinking":
		out.Kind, out.Seal = providers.KindReasoning, sealOf("", b.Data)
	case "image":
		out.Kind = providers.KindImage
		out.Media, err = r.media(path+".source", b)
	case "document":
		return r.document(path, b, out)
	case "search_result":
		return r.searchResult(path, b, out)
	case "tool_use":
		err = r.toolUse(path, b, &out)
	case "tool_result":
		err = r.toolResult(path, b, &out)
	case "compaction": // the summary that stands for what came before it
		out.Kind = providers.KindText
		if len(b.Content) > 0 && b.Content.Kind() == '"' {
			err = unmarshal(path+".content", b.Content, &out.Text)
		}
	case "":
		return nil, required(path + ".type")
	default:
		if !ofHostedTool(b.Type) {
			return nil, wrong(path, fmt.Sprintf("Input tag '%s' found using 'type' is not supported by the model that serves this request", b.Type))
		}
		r.notSaid("messages.content." + b.Type)
		return nil, nil
	}
	r.unread("messages.content", b.Rest)
	return []providers.Block{out}, err
}

// ofHostedTool reports the blocks that Anthropic's own tools leave in a conversation. Other
// models have no use for them.
func ofHostedTool(kind string) bool {
	return kind == "server_tool_use" || kind == "mcp_tool_use" || kind == "container_upload" || kind == "tool_reference" ||
		strings.HasSuffix(kind, "_tool_result")
}

func (r *reader) toolUse(path string, b *blockJSON, out *providers.Block) error {
	switch {
	case b.ID == "":
		return required(path + ".tool_use.id")
	case b.Name == "":
		return required(path + ".tool_use.name")
	case len(b.Input) == 0:
		return required(path + ".tool_use.input")
	}
	out.Kind = providers.KindToolCall
	out.Call = &providers.ToolCall{ID: b.ID, Name: b.Name, Arguments: string(b.Input)}
	r.names[b.ID] = b.Name
	return nil
}

func (r *reader) toolResult(path string, b *blockJSON, out *providers.Block) error {
	if b.CallID == "" {
		return required(path + ".tool_result.tool_use_id")
	}
	out.Kind = providers.KindToolResult
	out.Result = &providers.ToolResult{CallID: b.CallID, Name: r.names[b.CallID], IsError: b.IsError != nil && *b.IsError}
	if len(b.Content) == 0 || b.Content.Kind() == 'n' {
		return nil
	}
	var said textOrBlocks
	err := unmarshal(path+".content", b.Content, &said)
	if err != nil {
		return err
	}
	out.Result.Blocks, err = r.content(path+".content", &said)
	for i := range out.Result.Blocks {
		switch out.Result.Blocks[i].Kind {
		case providers.KindToolCall, providers.KindToolResult, providers.KindReasoning:
			return wrong(path+".content", "a tool's result holds text, images and documents")
		default:
		}
	}
	return err
}

// sourceJSON is where the bytes of an image or a document come from.
type sourceJSON struct {
	Type      string         `json:"type"`
	MediaType string         `json:"media_type"`
	Data      string         `json:"data"`
	URL       string         `json:"url"`
	FileID    string         `json:"file_id"`
	Content   textOrBlocks   `json:"content"`
	Rest      jsontext.Value `json:",embed"`
}

func (r *reader) source(path string, raw jsontext.Value) (*sourceJSON, error) {
	if len(raw) == 0 {
		return nil, required(path)
	}
	s := &sourceJSON{}
	if err := unmarshal(path, raw, s); err != nil {
		return nil, err
	}
	r.unread("messages.content.source", s.Rest)
	return s, nil
}

func (r *reader) media(path string, b *blockJSON) (*providers.Media, error) {
	s, err := r.source(path, b.Source)
	if err != nil {
		return nil, err
	}
	return s.media(path)
}

func (s *sourceJSON) media(path string) (*providers.Media, error) {
	m := &providers.Media{Type: s.MediaType}
	switch {
	case s.Type == "base64" && s.Data != "":
		m.Data = s.Data
	case s.Type == "url" && s.URL != "":
		m.URL = s.URL
	case s.Type == "file" && s.FileID != "":
		m.FileID = s.FileID
	case s.Type == "base64", s.Type == "url", s.Type == "file":
		return nil, required(path + "." + s.Type + "." + map[string]string{"base64": "data", "url": "url", "file": "file_id"}[s.Type])
	default:
		return nil, wrong(path, fmt.Sprintf("Input tag '%s' found using 'type' does not match any of the expected tags: 'base64', 'file', 'url'", s.Type))
	}
	return m, nil
}

// document reads a PDF, a text, or a text given as blocks.
func (r *reader) document(path string, b *blockJSON, out providers.Block) ([]providers.Block, error) {
	s, err := r.source(path+".source", b.Source)
	if err != nil {
		return nil, err
	}
	r.unread("messages.content", b.Rest)
	if b.Context != nil && *b.Context != "" {
		r.notSaid("messages.content.context")
	}
	if string(b.Citations) != "" && strings.Contains(string(b.Citations), "true") {
		r.notSaid("messages.content.citations")
	}
	if s.Type == "content" {
		blocks, err := r.content(path+".source.content", &s.Content)
		if n := len(blocks); n > 0 && blocks[n-1].Cache == nil {
			blocks[n-1].Cache = out.Cache
		}
		return blocks, err
	}
	out.Kind = providers.KindFile
	if s.Type == "text" {
		out.Media = &providers.Media{Type: "text/plain", Data: base64.StdEncoding.EncodeToString([]byte(s.Data))}
	} else if out.Media, err = s.media(path + ".source"); err != nil {
		return nil, err
	}
	if b.Title != nil {
		out.Media.Name = *b.Title
	}
	return []providers.Block{out}, nil
}

// searchResult says what a client's own search found as text: title, source and passages.
func (r *reader) searchResult(path string, b *blockJSON, out providers.Block) ([]providers.Block, error) {
	var source string
	if len(b.Source) > 0 {
		if err := unmarshal(path+".source", b.Source, &source); err != nil {
			return nil, err
		}
	}
	var said textOrBlocks
	if len(b.Content) > 0 {
		if err := unmarshal(path+".content", b.Content, &said); err != nil {
			return nil, err
		}
	}
	blocks, err := r.content(path+".content", &said)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	if b.Title != nil {
		text.WriteString(*b.Title + "\n")
	}
	text.WriteString(source)
	for i := range blocks {
		text.WriteString("\n\n" + blocks[i].Text)
	}
	r.unread("messages.content", b.Rest)
	out.Kind, out.Text = providers.KindText, text.String()
	return []providers.Block{out}, nil
}
