package responses

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// contentJSON is a message's content or a tool's output: a string, a list of parts, or null.
type contentJSON struct {
	list  bool
	text  string
	parts []partJSON
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (c *contentJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 'n':
		return dec.SkipValue()
	case '[':
		c.list = true
		return json.UnmarshalDecode(dec, &c.parts)
	}
	return json.UnmarshalDecode(dec, &c.text)
}

// partJSON is one content part.
type partJSON struct {
	Type        string         `json:"type"`
	Text        string         `json:"text"`
	Refusal     string         `json:"refusal"`
	ImageURL    urlJSON        `json:"image_url"`
	Detail      string         `json:"detail"`
	FileID      string         `json:"file_id"`
	FileData    string         `json:"file_data"`
	FileURL     string         `json:"file_url"`
	Filename    string         `json:"filename"`
	Audio       *audioJSON     `json:"input_audio"`
	Annotations jsontext.Value `json:"annotations"`
	Logprobs    jsontext.Value `json:"logprobs"`
	Breakpoint  jsontext.Value `json:"prompt_cache_breakpoint"`
	Rest        jsontext.Value `json:",embed"`
}

type audioJSON struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

// urlJSON is an address, or the object around one that Chat has here.
type urlJSON string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (u *urlJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 'n':
		return dec.SkipValue()
	case '{':
		var object struct {
			URL string `json:"url"`
		}
		err := json.UnmarshalDecode(dec, &object)
		*u = urlJSON(object.URL)
		return err
	}
	return json.UnmarshalDecode(dec, (*string)(u))
}

// blocks says content in the hub's words. An empty text is kept: some turns are only that.
func (r *reader) blocks(c *contentJSON, path string) ([]providers.Block, error) {
	if !c.list {
		return []providers.Block{{Kind: providers.KindText, Text: c.text}}, nil
	}
	blocks := make([]providers.Block, 0, len(c.parts))
	for i := range c.parts {
		p := &c.parts[i]
		b, err := p.block(fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		b.Citations = p.citations()
		if !isNull(p.Breakpoint) {
			b.Cache = &providers.CacheMark{}
		}
		r.unread("input.content", p.Rest)
		blocks = append(blocks, b)
	}
	return blocks, nil
}

func (p *partJSON) block(path string) (providers.Block, error) {
	switch p.Type {
	case "input_text", "output_text", "text", "summary_text", "reasoning_text":
		return providers.Block{Kind: providers.KindText, Text: p.Text}, nil
	case "refusal":
		return providers.Block{Kind: providers.KindRefusal, Text: p.Refusal}, nil
	case "input_image", "image_url":
		return p.image(path)
	case "input_file":
		return p.file(path)
	case "input_audio":
		return p.audio(path)
	case "":
		return providers.Block{}, openai.Missing(path + ".type")
	}
	return providers.Block{}, openai.Refuse(path+".type", "invalid_value", fmt.Sprintf(
		"Invalid value: '%s'. Supported values are: 'input_text', 'input_image', 'output_text', 'refusal', 'input_file', and 'input_audio'.", p.Type))
}

func (p *partJSON) image(path string) (providers.Block, error) {
	m := &providers.Media{Detail: p.Detail, FileID: p.FileID}
	switch url := string(p.ImageURL); {
	case url == "" && m.FileID == "":
		return providers.Block{}, openai.Missing(path + ".image_url")
	case url == "":
	case strings.HasPrefix(url, "data:"):
		var ok bool
		if m.Type, m.Data, ok = openai.DataURL(url); !ok {
			return providers.Block{}, openai.Refuse(path+".image_url", "invalid_base64", fmt.Sprintf("Invalid '%s.image_url': expected a base64-encoded data URL.", path))
		}
	case openai.IsAddress(url):
		m.URL = url
	default:
		return providers.Block{}, openai.Refuse(path+".image_url", "invalid_value", fmt.Sprintf("Invalid '%s.image_url': expected an https or data URL.", path))
	}
	return providers.Block{Kind: providers.KindImage, Media: m}, nil
}

func (p *partJSON) file(path string) (providers.Block, error) {
	m := &providers.Media{FileID: p.FileID, Name: p.Filename, URL: p.FileURL}
	switch data := p.FileData; {
	case data == "" && m.FileID == "" && m.URL == "":
		return providers.Block{}, openai.Missing(path + ".file_data")
	case m.URL != "" && !openai.IsAddress(m.URL):
		return providers.Block{}, openai.Refuse(path+".file_url", "invalid_value", fmt.Sprintf("Invalid '%s.file_url': expected an https URL.", path))
	case data == "":
	case strings.HasPrefix(data, "data:"):
		var ok bool
		if m.Type, m.Data, ok = openai.DataURL(data); !ok {
			return providers.Block{}, openai.Refuse(path+".file_data", "invalid_base64", fmt.Sprintf("Invalid '%s.file_data': expected a base64-encoded data URL.", path))
		}
	default:
		m.Type, m.Data = openai.Sniff(data, m.Name), data
	}
	return providers.Block{Kind: providers.KindFile, Media: m}, nil
}

func (p *partJSON) audio(path string) (providers.Block, error) {
	if p.Audio == nil || p.Audio.Data == "" {
		return providers.Block{}, openai.Missing(path + ".input_audio.data")
	}
	m := &providers.Media{Data: p.Audio.Data, Type: "audio/wav"}
	if p.Audio.Format != "" {
		m.Type = "audio/" + strings.ToLower(p.Audio.Format)
	}
	return providers.Block{Kind: providers.KindAudio, Media: m}, nil
}

// citations reads the annotations of an answer that comes back.
func (p *partJSON) citations() (list []providers.Citation) {
	if isNull(p.Annotations) {
		return nil
	}
	gjson.ParseBytes(p.Annotations).ForEach(func(_, a gjson.Result) bool {
		list = append(list, citation(a))
		return true
	})
	return list
}

func citation(a gjson.Result) providers.Citation {
	title := a.Get("title").Str
	if title == "" {
		title = a.Get("filename").Str
	}
	return providers.Citation{
		URL: a.Get("url").Str, Title: title, Start: max(0, int(a.Get("start_index").Int())), End: max(0, int(a.Get("end_index").Int())),
		Native: []byte(a.Raw),
	}
}
