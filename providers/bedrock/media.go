package bedrock

import (
	"encoding/base64"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// formats are the API's words for types of images and documents.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
var formats = map[string]string{
	"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp",
	"application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/markdown": "md",
	"application/msword": "doc", "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
	"application/vnd.ms-excel": "xls", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}

// media appends an image or a document. The API reads no address: its bytes are fetched first.
func (r *request) media(list []byte, b *providers.Block, param string) ([]byte, error) {
	m := b.Media
	switch {
	case m == nil:
		return list, providers.Invalid(param, "a call or a thought of the model stands in a turn that is not its own")
	case b.Kind == providers.KindAudio:
		return list, providers.Invalid(param, "bedrock takes no audio")
	case m.FileID != "" && m.Data == "" && m.URL == "":
		return list, providers.Invalid(param, "bedrock knows no stored files")
	case m.Data == "":
		got, ok := r.call.Fetched[m.URL]
		if !ok {
			r.fetch = append(r.fetch, m.URL)
			return list, nil
		}
		got.Name = m.Name
		m = &got
	}
	if m.Detail != "" && m.Detail != "auto" {
		r.drop("messages.content.image_url.detail")
	}
	kind, _, _ := strings.Cut(strings.ToLower(m.Type), ";")
	format := formats[strings.TrimSpace(kind)]
	if format == "" && m.Name != "" {
		format = byName(m.Name)
	}
	if format == "" || b.Kind == providers.KindImage && !strings.HasPrefix(kind, "image/") {
		return list, providers.Invalid(param, fmt.Sprintf("bedrock takes no media of type '%s'", m.Type))
	}
	if b.Kind == providers.KindImage || strings.HasPrefix(kind, "image/") {
		list = append(list, `{"image":{"format":"`+format+`"`...)
	} else {
		r.docs++
		list = providers.AppendString(append(list, `{"document":{"format":"`+format+`","name":`...), documentName(m.Name, r.docs))
	}
	list = providers.AppendString(append(list, `,"source":{"bytes":`...), standard(m.Data))
	return append(list, "}}},"...), nil
}

func byName(name string) string {
	end := strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")
	for _, format := range formats {
		if end == format {
			return format
		}
	}
	return ""
}

// documentName makes a name of the characters that the API takes, and of no others.
func documentName(name string, number int) string {
	name = strings.TrimSuffix(name, path.Ext(name))
	name = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.ContainsRune("-()[]", c):
			return c
		}
		return ' '
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		return "document " + strconv.Itoa(number)
	}
	return name
}

// standard gives base64 with its padding, which some clients leave out.
func standard(data string) string {
	if len(data)%4 != 0 {
		if raw, err := base64.RawStdEncoding.DecodeString(data); err == nil {
			return base64.StdEncoding.EncodeToString(raw)
		}
	}
	return data
}
