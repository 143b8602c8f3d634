package providers

import (
	"encoding/base64"
	"path"
	"strings"
	"unicode/utf8"
)

// PlainText gives a file's text where it is one, which every model reads: some APIs take it in a
// form of its own, and as a file only PDFs.
func (m *Media) PlainText() (text string, ok bool) {
	if m.Data == "" || !m.textual() {
		return "", false
	}
	raw, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(m.Data)
	}
	return string(raw), err == nil && len(raw) > 0 && utf8.Valid(raw)
}

// textual reports whether the file's type, or without one its name, is that of a text.
func (m *Media) textual() bool {
	kind, _, _ := strings.Cut(m.Type, ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "", "application/octet-stream":
		switch strings.ToLower(path.Ext(m.Name)) {
		case ".txt", ".md", ".csv", ".json", ".xml", ".html", ".yaml", ".yml":
			return true
		}
		return false
	}
	return TextType(kind)
}

// TextType reports the MIME types that are text, whatever their name says.
func TextType(kind string) bool {
	switch kind {
	case "application/json", "application/xml", "application/yaml", "application/x-yaml", "application/javascript":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}
