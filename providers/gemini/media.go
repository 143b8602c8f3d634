package gemini

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

const filesAPI = "https://generativelanguage.googleapis.com/"

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
	for _, have := range r.fetch {
		if have == url {
			return
		}
	}
	r.fetch = append(r.fetch, url)
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
	if b.Media.Type != "" {
		w.field("mimeType", b.Media.Type)
	}
	w.field("fileUri", uri)
	w.shut('}')
	r.resolution(w, b)
	w.signature(own(b.Seal))
	w.shut('}')
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
