package openai

import (
	"cmp"

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
	a.Model = cmp.Or(a.Model, imageModel)
	return a, err
}

// askMedia is what all these have in common.
func askMedia(doc *providers.Document) (a providers.Asked, err error) {
	if a.Model, _, err = doc.String("model"); err != nil {
		return a, err
	}
	a.EndUser = endUser(doc)
	return a, nil
}
