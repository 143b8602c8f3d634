package mock

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

const (
	maxImages   = 10
	maxPrompt   = 32_000
	maxPartials = 3
	imageTokens = 65 // of an image that is read
)

func readImages(r *request) (*ask, *refusal) {
	return readPictures(r, "image_generation", nil)
}

func readImageEdit(r *request) (*ask, *refusal) {
	images := append(r.files["image"], r.files["image[]"]...)
	return readPictures(r, "image_edit", &images)
}

func readImageVariation(r *request) (*ask, *refusal) {
	images := r.files["image"]
	a, refused := readPictures(r, "", &images)
	if refused == nil && !strings.HasPrefix(a.model, perImage) {
		return nil, invalid("model", "Value must be 'dall-e-2'.").withCode("invalid_value")
	}
	return a, refused
}

// readPictures reads what the three have in common: event is what a stream's events begin with,
// and from the images that are worked on, where there must be any.
func readPictures(r *request, event string, from *[]upload) (*ask, *refusal) {
	prompt := r.doc.Get("prompt").Str
	body := append([]byte(nil), r.body...)
	m := &media{format: "png", images: 1, event: event, size: "1024x1024", quality: "medium"}
	if from != nil {
		for _, file := range *from {
			body = append(body, file.content...)
		}
		m.tokens = int64(len(*from)+len(r.doc.Get("images").Array())) * imageTokens
	}
	a := newAsk(body, r.doc.Get("model").Str)
	if a.model == "" {
		a.model = perImage + "-2"
	}
	a.media, a.input = m, int64(len(prompt)+3)/4+m.tokens
	switch {
	case isMissing(a.model):
		return nil, unknownModel(a.model)
	case prompt == "" && event != "":
		return nil, missing("prompt")
	case len(prompt) > maxPrompt:
		return nil, invalid("prompt", "Invalid 'prompt': string too long. Expected a string with maximum length 32000.").withCode("string_above_max_length")
	case from != nil && m.tokens == 0:
		return nil, missing("image")
	}
	if refused := a.pictures(r); refused != nil {
		return nil, refused
	}
	a.script = make([]string, m.images*(1+m.partials))
	return a, nil
}

// pictures reads how many images are wanted, and of what kind.
func (a *ask) pictures(r *request) (refused *refusal) {
	m, old := a.media, strings.HasPrefix(a.model, perImage)
	if n := r.doc.Get("n"); n.Exists() {
		n, refused := wholeNumber("n", n, 1, maxImages)
		if refused != nil {
			return refused
		}
		m.images = int(n)
	}
	if a.stream = r.doc.Get("stream").Bool() && m.event != ""; a.stream && old {
		return invalid("stream", "Streaming is not supported for this model.")
	}
	if n := r.doc.Get("partial_images"); n.Exists() {
		n, refused := wholeNumber("partial_images", n, 0, maxPartials)
		if refused != nil {
			return refused
		}
		if !a.stream {
			return invalid("partial_images", "partial_images can only be used when stream is true.")
		}
		m.partials = int(n)
	}
	for name, into := range map[string]*string{"size": &m.size, "quality": &m.quality, "output_format": &m.format} {
		if said := r.doc.Get(name).Str; said != "" && said != "auto" {
			*into = said
		}
	}
	switch format := r.doc.Get("response_format"); {
	case format.Exists() && !old:
		return invalid("response_format", "Unknown parameter: 'response_format'.").withCode("unknown_parameter")
	case old:
		m.links = format.Str != "b64_json"
		return oneOf("response_format", format.Str, "", "url", "b64_json")
	}
	return oneOf("output_format", m.format, "png", "jpeg", "webp")
}

// tinyWebP is an image of one dot, as Go's library writes none.
const tinyWebP = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA="

// picture gives an image of eight by eight dots, in base64: equal seeds, equal images.
func picture(format string, seed uint64) string {
	if format == "webp" {
		return tinyWebP
	}
	seed = mix(seed)
	dots := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		dots.Set(i%8, i/8, color.RGBA{byte(seed), byte(seed >> 8), byte(i * 4), 255})
	}
	var b bytes.Buffer
	encode := func() error { return png.Encode(&b, dots) }
	if format == "jpeg" {
		encode = func() error { return jpeg.Encode(&b, dots, nil) }
	}
	if err := encode(); err != nil {
		panic(err) // a buffer takes all
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func writeImages(dst []byte, a *ask, ans *answer) []byte {
	m := a.media
	dst = append(dst, `{"created":`+created+`,"data":[`...)
	for i := range m.images {
		if i > 0 {
			dst = append(dst, ',')
		}
		if m.links {
			dst = append(appendID(append(dst, `{"url":"https://images.invalid/`...), a.id+uint64(i), 24), `.png","revised_prompt":"As it was asked."}`...)
			continue
		}
		dst = append(append(append(dst, `{"b64_json":"`...), picture(m.format, a.id+uint64(i))...), `"}`...)
	}
	dst = append(dst, ']')
	if strings.HasPrefix(a.model, perImage) {
		return append(dst, '}')
	}
	dst = append(appendLook(dst, m), `,"usage":`...)
	return append(appendTokens(dst, ans.usage, "input_tokens_details", "image"), '}')
}

// appendLook appends how an image is.
func appendLook(dst []byte, m *media) []byte {
	dst = providers.AppendString(append(dst, `,"background":"opaque","output_format":`...), m.format)
	dst = providers.AppendString(append(dst, `,"quality":`...), m.quality)
	return providers.AppendString(append(dst, `,"size":`...), m.size)
}

func filmImages(f *film, a *ask, ans *answer) {
	m := a.media
	for i := range m.images {
		for partial := range m.partials {
			f.picture(a, "partial_image", uint64(i)<<8|uint64(partial+1))
			f.event = append(number(f.event, `,"partial_image_index":`, int64(partial)), "}\n\n"...)
			f.endContent(1)
		}
		f.picture(a, "completed", uint64(i))
		f.event = append(appendTokens(append(f.event, `,"usage":`...), ans.usage, "input_tokens_details", "image"), "}\n\n"...)
		f.endContent(1)
	}
}

// picture begins an event with an image.
func (f *film) picture(a *ask, event string, seed uint64) {
	kind := a.media.event + "." + event
	f.event = append(f.event, "event: "+kind+"\ndata: {\"type\":\""+kind+`","b64_json":"`...)
	f.event = append(f.event, picture(a.media.format, a.id+seed)...)
	f.event = appendLook(append(f.event, `","created_at":`+created...), a.media)
}
