package anthropic

import (
	"encoding/base64"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/aistrale/aistrale/providers"
)

// filesBeta is what the API wants named where a stored file is used.
// Source: https://docs.claude.com/en/docs/build-with-claude/files
const filesBeta = "files-api-2025-04-14"

func (w *writer) media(b *providers.Block) error {
	m := b.Media
	if m == nil {
		return providers.Invalid("messages", "a media part is empty")
	}
	kind := mediaType(m)
	switch {
	case b.Kind == providers.KindAudio || strings.HasPrefix(kind, "audio/"):
		return providers.Invalid("messages", "anthropic takes no audio")
	case b.Kind == providers.KindImage || strings.HasPrefix(kind, "image/"):
		return w.image(b, kind)
	}
	return w.document(b, kind)
}

// mediaType gives the MIME type without parameters, "" where nothing says it.
func mediaType(m *providers.Media) string {
	kind, _, _ := strings.Cut(m.Type, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	switch {
	case kind == "image/jpg":
		return "image/jpeg"
	case kind != "" && kind != "application/octet-stream":
		return kind
	case strings.HasPrefix(m.Data, "JVBERi"): // %PDF
		return "application/pdf"
	}
	switch strings.ToLower(path.Ext(m.Name)) {
	case ".pdf":
		return "application/pdf"
	case ".txt", ".md", ".csv", ".json", ".xml", ".html":
		return "text/plain"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".png":
		return "image/png"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	}
	return ""
}

func (w *writer) image(b *providers.Block, kind string) error {
	m := b.Media
	if w.call.Can.NoImages {
		return providers.Invalid("messages", fmt.Sprintf("the model '%s' takes no images", w.call.Asked))
	}
	switch kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
	default:
		if m.Data != "" {
			return providers.Invalid("messages", fmt.Sprintf("anthropic takes images of type jpeg, png, gif and webp, not '%s'", m.Type))
		}
	}
	if m.Detail != "" && m.Detail != "auto" {
		w.drop("messages.content.image_url.detail")
	}
	w.body = append(w.body, `{"type":"image","source":`...)
	if err := w.source(m, kind); err != nil {
		return err
	}
	w.mark(b.Cache)
	w.body = append(w.body, '}')
	return nil
}

// source writes where bytes come from: inline, by address, or a file stored with Anthropic.
func (w *writer) source(m *providers.Media, kind string) error {
	switch {
	case m.Data != "":
		w.body = append(w.body, `{"type":"base64","media_type":`...)
		w.body = providers.AppendString(w.body, kind)
		w.body = append(w.body, `,"data":`...)
		w.body = append(providers.AppendString(w.body, m.Data), '}')
	case strings.HasPrefix(m.URL, "https://"), strings.HasPrefix(m.URL, "http://"):
		w.body = append(w.body, `{"type":"url","url":`...)
		w.body = append(providers.AppendString(w.body, m.URL), '}')
	case m.URL != "":
		return providers.Invalid("messages", "anthropic takes images and files by http(s) address or as data only")
	case strings.HasPrefix(m.FileID, "file_"):
		w.beta(filesBeta)
		w.body = append(w.body, `{"type":"file","file_id":`...)
		w.body = append(providers.AppendString(w.body, m.FileID), '}')
	case m.FileID != "":
		return providers.Invalid("messages", fmt.Sprintf("the file '%s' is not stored with anthropic", m.FileID))
	default:
		return providers.Invalid("messages", "a media part holds neither data nor an address")
	}
	return nil
}

func (w *writer) document(b *providers.Block, kind string) error {
	m := b.Media
	w.body = append(w.body, `{"type":"document","source":`...)
	var err error
	switch {
	case m.Data != "" && readable(kind):
		err = w.plainText(m)
	case m.Data != "" && kind != "application/pdf", m.URL != "" && kind != "" && kind != "application/pdf":
		return providers.Invalid("messages", fmt.Sprintf("anthropic takes files of type PDF and text, not '%s'", kind))
	case w.call.Can.NoPDF:
		return providers.Invalid("messages", fmt.Sprintf("the model '%s' takes no PDF files", w.call.Asked))
	default:
		err = w.source(m, kind)
	}
	if err != nil {
		return err
	}
	if m.Name != "" {
		w.body = append(w.body, `,"title":`...)
		w.body = providers.AppendString(w.body, m.Name)
	}
	w.mark(b.Cache)
	w.body = append(w.body, '}')
	return nil
}

// readable reports the types that are sent as plain text.
func readable(kind string) bool {
	switch kind {
	case "application/json", "application/xml", "application/yaml", "application/x-yaml", "application/javascript":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

func (w *writer) plainText(m *providers.Media) error {
	text, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil {
		text, err = base64.RawStdEncoding.DecodeString(m.Data)
	}
	if err != nil || !utf8.Valid(text) || len(text) == 0 {
		return providers.Invalid("messages", fmt.Sprintf("the file '%s' is not base64 of UTF-8 text", m.Name))
	}
	w.body = append(w.body, `{"type":"text","media_type":"text/plain","data":`...)
	w.body = append(providers.AppendString(w.body, text), '}')
	return nil
}
