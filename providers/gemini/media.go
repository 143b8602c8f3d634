package gemini

import (
	"encoding/base64"
	"net/http"
	"path"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

const (
	filesHost = "generativelanguage.googleapis.com"
	filesAPI  = "https://" + filesHost + "/"
)

// media appends an image, a file or a sound. A web address is asked for first (Plan.Fetch): only
// some models fetch by themselves, and none through this gateway's guard.
func (r *request) media(w *body, b *providers.Block, param string) error {
	m := b.Media
	switch {
	case m.Data != "":
		return r.inline(w, b, m, param)
	case m.FileID != "":
		uri := m.FileID
		if strings.HasPrefix(uri, "files/") {
			uri = filesAPI + "v1beta/" + uri
		}
		if !stored(uri) {
			return providers.Invalid(param, "the file id is not one of this provider; send the file's bytes instead")
		}
		r.byAddress(w, b, uri)
	case stored(m.URL):
		r.byAddress(w, b, m.URL)
	case m.URL != "":
		fetched, ok := r.call.Fetched[m.URL]
		if !ok {
			r.want(m.URL)
			return nil
		}
		if fetched.Type == "" {
			fetched.Type = m.Type
		}
		return r.inline(w, b, &fetched, param)
	default:
		return providers.Invalid(param, "the media have neither bytes nor address")
	}
	return nil
}

// stored reports an address that the API reads itself: a file uploaded to it, a registered object
// of Cloud Storage, or a public video.
func stored(uri string) bool {
	for _, prefix := range append(objectPrefixes(), "https://www.youtube.com/watch?", "https://youtu.be/") {
		if strings.HasPrefix(uri, prefix) {
			return true
		}
	}
	return false
}

// objectPrefixes are how addresses begin that name an object of the account.
func objectPrefixes() []string {
	return []string{"gs://", filesAPI + "v1beta/files/", filesAPI + "v1/files/"}
}

func (r *request) want(url string) {
	if !r.wanted[url] {
		if r.wanted == nil {
			r.wanted = map[string]bool{}
		}
		r.wanted[url] = true
		r.fetch = append(r.fetch, url)
	}
}

func (r *request) inline(w *body, b *providers.Block, m *providers.Media, param string) error {
	kind := mediaType(b.Kind, m)
	if kind == "" {
		return providers.Invalid(param, "the type of the file is not known; send it as a data URL with its MIME type")
	}
	w.open('{')
	w.key("inlineData")
	w.open('{')
	w.field("mimeType", kind)
	w.field("data", m.Data)
	w.shut('}')
	r.resolution(w, b)
	w.signature(own(b.Seal))
	w.shut('}')
	return nil
}

func (r *request) byAddress(w *body, b *providers.Block, uri string) {
	w.open('{')
	w.key("fileData")
	w.open('{')
	if kind := addressed(b.Media, uri); kind != "" {
		w.field("mimeType", kind)
	}
	w.field("fileUri", uri)
	w.shut('}')
	r.resolution(w, b)
	w.signature(own(b.Seal))
	w.shut('}')
}

// addressed gives the type of a file that the API reads itself, by its name where the client
// did not say: nobody here sees its bytes.
// Source: https://ai.google.dev/gemini-api/docs/file-input-methods (supported types)
func addressed(m *providers.Media, uri string) string {
	if m.Type != "" {
		return mediaType(0, m)
	}
	name := m.Name
	if path.Ext(name) == "" {
		name = uri
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".pdf":
		return "application/pdf"
	case ".txt", ".md":
		return "text/plain"
	case ".csv":
		return "text/csv"
	case ".html":
		return "text/html"
	case ".json":
		return "application/json"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".png":
		return "image/png"
	case ".webp":
		return "image/webp"
	case ".mp3":
		return "audio/mp3"
	case ".wav":
		return "audio/wav"
	case ".mp4":
		return "video/mp4"
	case ".mov":
		return "video/quicktime"
	case ".webm":
		return "video/webm"
	}
	return ""
}

// resolution says an image's detail, which generation 3 takes part by part.
// Source: https://ai.google.dev/gemini-api/docs/media-resolution
func (r *request) resolution(w *body, b *providers.Block) {
	if b.Kind != providers.KindImage {
		return
	}
	var level string
	switch b.Media.Detail {
	case "low":
		level = "MEDIA_RESOLUTION_LOW"
	case "medium":
		level = "MEDIA_RESOLUTION_MEDIUM"
	case "high", "original":
		level = "MEDIA_RESOLUTION_HIGH"
	default:
		return
	}
	if !modern(r.call) {
		r.drop("messages.content.image_url.detail")
		return
	}
	w.key("mediaResolution")
	w.open('{')
	w.field("level", level)
	w.shut('}')
}

// mediaType gives the MIME type in the API's spelling, "" where it is not known.
func mediaType(kind providers.Kind, m *providers.Media) string {
	switch m.Type {
	case "image/jpg":
		return "image/jpeg"
	case "audio/x-wav", "audio/wave":
		return "audio/wav"
	case "", "application/octet-stream":
		return sniff(kind, m.Data)
	case "text/html", "text/css", "text/csv", "text/xml", "text/rtf", "text/javascript":
		return m.Type
	}
	if providers.TextType(m.Type) {
		return "text/plain" // other names of texts are refused
	}
	return m.Type
}

func sniff(kind providers.Kind, data string) string {
	head := make([]byte, 384)
	n, _ := base64.StdEncoding.Decode(head, []byte(data[:min(len(data), 512)/4*4]))
	found, _, _ := strings.Cut(http.DetectContentType(head[:n]), ";")
	if found == "application/octet-stream" || kind == providers.KindImage && !strings.HasPrefix(found, "image/") {
		return ""
	}
	return found
}
