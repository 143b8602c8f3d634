package openai

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// Surface is what clients of OpenAI's language see.
func Surface() providers.Surface {
	return providers.Surface{Face: Face{}, Endpoints: slices.Concat(storedEndpoints(), realtime(), []providers.Endpoint{
		{Path: "/v1/chat/completions", Op: providers.OpChat, Ask: ask, Preface: preface},
		{Path: "/v1/completions", Op: providers.OpCompletions, Ask: ask},
		{Path: "/v1/embeddings", Op: providers.OpEmbeddings, Ask: askWhole},
		{Path: "/v1/moderations", Op: providers.OpModerations, Ask: askModeration},
		{Path: "/v1/audio/speech", Op: providers.OpSpeech, Ask: askSpeech},
		{Path: "/v1/audio/transcriptions", Op: providers.OpTranscription, Ask: askSound, Form: soundForm()},
		{Path: "/v1/audio/translations", Op: providers.OpTranslation, Ask: askSound, Form: soundForm()},
		{Path: "/v1/images/generations", Op: providers.OpImages, Ask: askImages},
		{Path: "/v1/images/edits", Op: providers.OpImageEdits, Ask: askImages, Form: imageForm()},
		{Path: "/v1/images/variations", Op: providers.OpImageVariations, Ask: askImages, Form: imageForm()},
		{Path: "/v1/prompts/{name}/render", Op: providers.OpPrompts},
		{Method: http.MethodGet, Path: "/v1/models", Op: providers.OpModels, List: appendModels},
		{Method: http.MethodGet, Path: "/v1/models/{model}", Op: providers.OpModels, Show: appendModel},
		{Method: http.MethodGet, Path: "/v1/me", Op: providers.OpMe},
		{Method: http.MethodGet, Path: "/v1/me/usage", Op: providers.OpMyUsage},
	})}
}

// soundForm is that of a sound that is to be written down: nothing else in it bears on the price.
func soundForm() *providers.Form {
	return &providers.Form{Files: []string{"file"}, Needs: []string{"model"}}
}

// imageForm is that of images to work on. How many are made, and how large, may be said last.
func imageForm() *providers.Form {
	return &providers.Form{Files: []string{"image", "image[]", "mask", "markup"}}
}

func appendModels(b []byte, models []providers.ListedModel, _ func(string) string) []byte {
	b = append(b, `{"object":"list","data":[`...)
	for i := range models {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendModel(b, &models[i])
	}
	return append(b, `]}`...)
}

func appendModel(b []byte, m *providers.ListedModel) []byte {
	b = providers.AppendString(append(b, `{"id":`...), m.ID)
	b = strconv.AppendInt(append(b, `,"object":"model","created":`...), m.Created, 10)
	b = providers.AppendString(append(b, `,"owned_by":`...), m.OwnedBy)
	return append(b, '}')
}
