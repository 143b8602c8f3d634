package openai

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/aistrale/aistrale/providers"
)

// The models that OpenAI takes where the client names none.
// Source: https://platform.openai.com/docs/api-reference (moderations, images).
const (
	moderationModel = "omni-moderation-latest"
	imageModel      = "dall-e-2"
)

// askModeration reads what the road needs to know of a text to be judged.
func askModeration(doc *providers.Document) (providers.Asked, error) {
	a, err := askMedia(doc)
	a.Model = cmp.Or(a.Model, moderationModel)
	return a, err
}

// askSpeech reads a text to be spoken.
func askSpeech(doc *providers.Document) (providers.Asked, error) {
	a, err := askMedia(doc)
	if err != nil {
		return a, err
	}
	text, _, err := doc.String("input")
	if err != nil {
		return a, err
	}
	a.Characters = int64(utf8.RuneCountInString(text))
	format, _, err := doc.String("stream_format")
	a.Stream = format == "sse"
	return a, err
}

// askSound reads a sound to be written down.
func askSound(doc *providers.Document) (providers.Asked, error) {
	a, err := askMedia(doc)
	if err == nil {
		a.Stream, _, err = doc.Bool("stream")
	}
	return a, err
}

// askImages reads images to be made.
func askImages(doc *providers.Document) (providers.Asked, error) {
	a, err := askMedia(doc)
	if err == nil {
		a.Stream, _, err = doc.Bool("stream")
	}
	if err != nil {
		return a, err
	}
	a.Model, a.Images, a.Variant = cmp.Or(a.Model, imageModel), 1, variant(doc)
	if n, said, err := doc.Int("n"); err == nil && said { // what is no number is the upstream's to refuse
		a.Images = max(1, n)
	}
	return a, nil
}

// variant is what an image is priced by beside its model: its size and its quality, without what
// the API takes where nothing is said.
func variant(doc *providers.Document) string {
	size, _, _ := doc.String("size") // what is no string is the upstream's to refuse
	quality, _, _ := doc.String("quality")
	switch quality {
	case "auto", "standard":
		quality = ""
	}
	if size == "auto" {
		size = ""
	}
	kind := strings.Trim(size+"/"+quality, "/")
	const longest = 32
	if len(kind) > longest || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789/._-") != "" {
		return "other"
	}
	return kind
}

// askMedia is what all these have in common.
func askMedia(doc *providers.Document) (a providers.Asked, err error) {
	if a.Model, _, err = doc.String("model"); err != nil {
		return a, err
	}
	a.EndUser = endUser(doc)
	return a, nil
}
