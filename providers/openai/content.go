package openai

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// contentJSON is a message's content: a string, a list of parts, or null.
type contentJSON struct {
	said  bool // a string or a list was given
	list  bool
	text  string
	parts []partJSON
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (c *contentJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 'n':
		return dec.SkipValue()
	case '"':
		c.said = true
		return json.UnmarshalDecode(dec, &c.text)
	case '[':
		c.said, c.list = true, true
		return json.UnmarshalDecode(dec, &c.parts)
	}
	return want(dec, "one of a string or array of objects")
}

// partJSON is one content part.
type partJSON struct {
	Type       string         `json:"type"`
	Text       string         `json:"text"`
	Refusal    string         `json:"refusal"`
	Image      addressJSON    `json:"image_url"`
	File       *fileJSON      `json:"file"`
	FileURL    addressJSON    `json:"file_url"`
	Audio      audioJSON      `json:"input_audio"`
	Cache      *cacheJSON     `json:"cache_control"`
	Breakpoint jsontext.Value `json:"prompt_cache_breakpoint"`
	Rest       jsontext.Value `json:",embed"`
}

// addressJSON is image_url: an object, or the bare address that older clients send.
type addressJSON struct {
	URL    string         `json:"url"`
	Detail string         `json:"detail"`
	Format string         `json:"format"`
	Rest   jsontext.Value `json:",embed"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *addressJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain addressJSON
	return stringOrObject(dec, &a.URL, (*plain)(a))
}

// audioJSON is input_audio: an object, or Mistral's bare base64 or address.
type audioJSON struct {
	Data   string         `json:"data"`
	Format string         `json:"format"`
	Rest   jsontext.Value `json:",embed"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *audioJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain audioJSON
	return stringOrObject(dec, &a.Data, (*plain)(a))
}

type fileJSON struct {
	Data string         `json:"file_data"`
	ID   string         `json:"file_id"`
	Name string         `json:"filename"`
	Rest jsontext.Value `json:",embed"`
}

type cacheJSON struct {
	Type string      `json:"type"`
	TTL  looseString `json:"ttl"`
}

// cacheMark reads Anthropic's cache_control or OpenAI's own prompt_cache_breakpoint, whose
// presence alone marks the prompt up to its part.
func cacheMark(c *cacheJSON, breakpoint jsontext.Value) *providers.CacheMark {
	switch {
	case c != nil:
		return &providers.CacheMark{TTL: string(c.TTL)}
	case !isNull(breakpoint):
		return &providers.CacheMark{}
	}
	return nil
}

// blocks says the content in the hub's words. An empty text is kept: some turns are only that.
func (c *contentJSON) blocks(path string) ([]providers.Block, error) {
	if !c.said {
		return nil, nil
	}
	if !c.list {
		return []providers.Block{{Kind: providers.KindText, Text: c.text}}, nil
	}
	blocks := make([]providers.Block, 0, len(c.parts))
	for i := range c.parts {
		b, err := c.parts[i].block(fmt.Sprintf("%s.content[%d]", path, i))
		if err != nil {
			return nil, err
		}
		b.Cache = cacheMark(c.parts[i].Cache, c.parts[i].Breakpoint)
		blocks = append(blocks, b)
	}
	return blocks, nil
}

func (p *partJSON) block(path string) (providers.Block, error) {
	switch p.Type {
	case "text", "input_text", "output_text":
		return providers.Block{Kind: providers.KindText, Text: p.Text}, nil
	case "refusal":
		return providers.Block{Kind: providers.KindRefusal, Text: p.Refusal}, nil
	case "image_url":
		return mediaBlock(providers.KindImage, path+".image_url.url", p.Image)
	case "file_url":
		return mediaBlock(providers.KindFile, path+".file_url.url", p.FileURL)
	case "file":
		return p.file(path)
	case "input_audio":
		return p.audio(path)
	case "":
		return providers.Block{}, Missing(path + ".type")
	}
	return providers.Block{}, Refuse(path+".type", "invalid_value",
		fmt.Sprintf("Invalid value: '%s'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.", p.Type))
}

func mediaBlock(kind providers.Kind, path string, a addressJSON) (providers.Block, error) {
	if a.URL == "" {
		return providers.Block{}, Missing(path)
	}
	m := &providers.Media{Detail: a.Detail, Type: a.Format}
	if kind == providers.KindFile && !strings.Contains(a.URL[:min(len(a.URL), 16)], ":") { // Perplexity takes bare base64
		m.Type, m.Data = Sniff(a.URL, ""), a.URL
		return providers.Block{Kind: kind, Media: m}, nil
	}
	if !strings.HasPrefix(a.URL, "data:") {
		if !IsAddress(a.URL) {
			return providers.Block{}, Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': expected an https or data URL.", path))
		}
		m.URL = a.URL
		return providers.Block{Kind: kind, Media: m}, nil
	}
	mime, data, ok := DataURL(a.URL)
	if !ok {
		return providers.Block{}, Refuse(path, "invalid_base64", fmt.Sprintf("Invalid '%s': expected a base64-encoded data URL.", path))
	}
	m.Type, m.Data = mime, data
	return providers.Block{Kind: kind, Media: m}, nil
}

// DataURL splits data:MIME;base64,DATA. Parameters of the MIME type are dropped.
func DataURL(url string) (mime, data string, ok bool) {
	head, data, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ",")
	mime, params, _ := strings.Cut(head, ";")
	return strings.ToLower(strings.TrimSpace(mime)), data, ok && strings.HasSuffix(strings.ToLower(params), "base64")
}

func (p *partJSON) file(path string) (providers.Block, error) {
	if p.File == nil {
		return providers.Block{}, Missing(path + ".file")
	}
	m := &providers.Media{FileID: p.File.ID, Name: p.File.Name}
	switch data := p.File.Data; {
	case data == "" && m.FileID == "":
		return providers.Block{}, Missing(path + ".file.file_data")
	case data == "":
	case IsAddress(data): // OpenRouter takes one here
		m.URL = data
	case strings.HasPrefix(data, "data:"):
		var ok bool
		if m.Type, m.Data, ok = DataURL(data); !ok {
			return providers.Block{}, Refuse(path+".file.file_data", "invalid_base64",
				fmt.Sprintf("Invalid '%s.file.file_data': expected a base64-encoded data URL.", path))
		}
	case strings.Contains(data[:min(len(data), 16)], ":"):
		return providers.Block{}, Refuse(path+".file.file_data", "invalid_value",
			fmt.Sprintf("Invalid '%s.file.file_data': expected base64, or an https or data URL.", path))
	default:
		m.Type, m.Data = Sniff(data, m.Name), data
	}
	return providers.Block{Kind: providers.KindFile, Media: m}, nil
}

// IsAddress reports the addresses that files may stand at; base64 has no colon.
func IsAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "gs://")
}

// Sniff finds the type of a file that came without one: by its first bytes, else by its name.
func Sniff(data, name string) string {
	const pdf = "JVBERi0" // %PDF- in base64
	name = strings.ToLower(name)
	switch {
	case strings.HasPrefix(data, pdf), strings.HasSuffix(name, ".pdf"):
		return "application/pdf"
	case strings.HasSuffix(name, ".txt"):
		return "text/plain"
	}
	return ""
}

func (p *partJSON) audio(path string) (providers.Block, error) {
	data := p.Audio.Data
	if data == "" {
		return providers.Block{}, Missing(path + ".input_audio.data")
	}
	m := &providers.Media{}
	switch {
	case IsAddress(data):
		m.URL = data
	case strings.HasPrefix(data, "data:"):
		m.Type, m.Data, _ = DataURL(data)
	default:
		m.Data = data
	}
	if p.Audio.Format != "" {
		m.Type = "audio/" + strings.ToLower(p.Audio.Format)
	}
	if m.Type == "" && m.URL == "" {
		m.Type = "audio/wav"
	}
	return providers.Block{Kind: providers.KindAudio, Media: m}, nil
}
