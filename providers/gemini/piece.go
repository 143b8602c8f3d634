package gemini

import (
	"encoding/base64"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// piece is one part of a content.
type piece struct {
	providers.Block
	length int // of the text that its seal is for; -1 for this API's own seals
}

// piece reads a part; ok is false for one that says nothing to other models.
// Source: https://ai.google.dev/api/caching#Part
func (r *reader) piece(path string, v gjson.Result) (p piece, ok bool, err error) {
	var thought *bool
	shown := false
	var signature string
	p.length = -1
	err = object(v, path, func(name, path string, v gjson.Result) error {
		switch name {
		case "thought":
			return truth(v, path, &thought)
		case "thoughtSignature":
			return text(v, path, &signature)
		case "text":
			p.Kind = providers.KindText
			return text(v, path, &p.Text)
		case "inlineData", "fileData":
			shown, p.Media = true, &providers.Media{Detail: detail(p.Media)}
			return object(v, path, func(name, path string, v gjson.Result) error { return r.media(p.Media, name, path, v) })
		case "functionCall":
			p.Kind, p.Call = providers.KindToolCall, &providers.ToolCall{Arguments: "{}"}
			return object(v, path, func(name, path string, v gjson.Result) error { return r.call(p.Call, name, path, v) })
		case "functionResponse":
			p.Kind, p.Result = providers.KindToolResult, &providers.ToolResult{}
			return object(v, path, func(name, path string, v gjson.Result) error { return r.result(p.Result, name, path, v) })
		case "mediaResolution":
			p.detail(v)
			return nil
		}
		r.unread(path)
		return nil
	})
	switch {
	case err != nil:
		return p, false, err
	case p.Kind == providers.KindToolCall && p.Call.Name == "":
		return p, false, wrong(path+".functionCall.name", "a name")
	case shown && !p.shows():
		return p, false, wrong(path, "bytes or an address")
	case shown && thought != nil && *thought:
		return p, false, nil // a draft of an image that the answer holds
	}
	p.settle(thought != nil && *thought, signature)
	return p, p.Kind != 0, nil
}

// settle says what kind of block the part is, now that all its members are known.
func (p *piece) settle(thought bool, signature string) {
	switch {
	case p.shows():
		p.Kind = mediaKind(p.Media.Type)
	case p.Kind == 0 && signature != "":
		p.Kind = providers.KindText
	}
	if thought && p.Kind == providers.KindText {
		p.Kind = providers.KindReasoning
	}
	p.Seal, p.length = recovered(signature)
}

func (p *piece) shows() bool {
	return p.Media != nil && (p.Media.Data != "" || p.Media.URL != "" || p.Media.FileID != "")
}

func mediaKind(mime string) providers.Kind {
	switch {
	case strings.HasPrefix(mime, "image/"):
		return providers.KindImage
	case strings.HasPrefix(mime, "audio/"):
		return providers.KindAudio
	}
	return providers.KindFile
}

func detail(m *providers.Media) string {
	if m == nil {
		return ""
	}
	return m.Detail
}

// detail says a part's own resolution, which may stand before its media.
func (p *piece) detail(v gjson.Result) {
	level := v.Get("level").Str
	if v.Type == gjson.String {
		level = v.Str
	}
	if p.Media == nil {
		p.Media = &providers.Media{}
	}
	switch level {
	case "MEDIA_RESOLUTION_LOW":
		p.Media.Detail = "low"
	case "MEDIA_RESOLUTION_HIGH", "MEDIA_RESOLUTION_ULTRA_HIGH":
		p.Media.Detail = "high"
	default:
		p.Media.Detail = "auto"
	}
}

func (r *reader) media(m *providers.Media, name, path string, v gjson.Result) error {
	switch name {
	case "mimeType":
		return text(v, path, &m.Type)
	case "displayName":
		return text(v, path, &m.Name)
	case "data":
		if err := text(v, path, &m.Data); err != nil {
			return err
		}
		m.Data = strings.NewReplacer("-", "+", "_", "/").Replace(m.Data) // the API takes both alphabets
		if _, err := base64.StdEncoding.DecodeString(m.Data); err != nil {
			if _, err := base64.RawStdEncoding.DecodeString(m.Data); err != nil {
				return wrong(path, "base64")
			}
			m.Data += "===="[:(4-len(m.Data)%4)%4]
		}
		return nil
	case "fileUri":
		var uri string
		if err := text(v, path, &uri); err != nil {
			return err
		}
		m.URL = uri
		for _, prefix := range objectPrefixes() {
			if strings.HasPrefix(uri, prefix) {
				m.URL, m.FileID = "", uri // an object of an account, which only its holder can read
			}
		}
		return nil
	}
	r.unread(path)
	return nil
}

func (r *reader) call(c *providers.ToolCall, name, path string, v gjson.Result) error {
	switch name {
	case "id":
		return text(v, path, &c.ID)
	case "name":
		return text(v, path, &c.Name)
	case "args":
		if !v.IsObject() {
			return wrong(path, "an object")
		}
		c.Arguments = compact(v.Raw)
		return nil
	}
	r.unread(path)
	return nil
}

// result reads a functionResponse. Of its object, "output" and "error" have a meaning of their
// own where they stand alone.
// Source: https://ai.google.dev/api/caching#FunctionResponse
func (r *reader) result(to *providers.ToolResult, name, path string, v gjson.Result) error {
	switch name {
	case "id":
		return text(v, path, &to.CallID)
	case "name":
		return text(v, path, &to.Name)
	case "response":
		if !v.IsObject() {
			return wrong(path, "an object")
		}
		var alone gjson.Result
		count, key := 0, ""
		v.ForEach(func(k, value gjson.Result) bool {
			alone, key = value, k.Str
			count++
			return count < 2
		})
		said := compact(v.Raw)
		if count == 1 && (key == "output" || key == "error") {
			to.IsError = key == "error"
			if said = compact(alone.Raw); alone.Type == gjson.String {
				said = alone.Str
			}
		}
		to.Blocks = append([]providers.Block{{Kind: providers.KindText, Text: said}}, to.Blocks...)
		return nil
	case "parts":
		return list(v, path, func(path string, v gjson.Result) error {
			p, ok, err := r.piece(path, v)
			if ok && p.Media != nil {
				to.Blocks = append(to.Blocks, p.Block)
			} else if err == nil {
				r.unread(path)
			}
			return err
		})
	}
	r.unread(path)
	return nil
}
