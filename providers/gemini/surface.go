package gemini

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// Prefix is where the paths of Google's clients stand: they are given it as their base URL.
const Prefix = "/gemini"

// awake keeps a quiet stream alive. Google's client in Go takes a comment for an error, and an
// empty event for nothing.
const awake = "\r\n\r\n"

// Surface is what Google's clients see. Today's say /v1 or /v1beta for the same.
func Surface() providers.Surface {
	s := providers.Surface{Prefix: Prefix, Face: Face{}, Awake: awake}
	for _, version := range []string{"/v1beta", "/v1"} {
		s.Endpoints = append(s.Endpoints, storedEndpoints(version)...)
		models := version + "/models"
		at := func(method string, op providers.Op) providers.Endpoint {
			return providers.Endpoint{Path: models + "/{model}:" + method, Op: op, Ask: ask, Words: words()}
		}
		embed, batch := at("embedContent", providers.OpEmbeddings), at("batchEmbedContents", providers.OpEmbeddings)
		embed.Pairs = map[string]*providers.Pair{"openai": openAIEmbeddings()}
		batch.Pairs = embed.Pairs
		whole, stream := at("generateContent", providers.OpChat), at("streamGenerateContent", providers.OpChat)
		whole.Preface, stream.Preface = preface, preface
		stream.Stream, stream.Query = true, "alt=sse"
		s.Endpoints = append(s.Endpoints,
			whole, stream,
			at("countTokens", providers.OpCountTokens),
			embed, batch,
			providers.Endpoint{Method: http.MethodGet, Path: models, Op: providers.OpModels, List: appendModels},
			providers.Endpoint{Method: http.MethodGet, Path: models + "/{model}", Op: providers.OpModels, Show: appendModel},
		)
	}
	return s
}

// The bounds of a page of models.
// Source: https://ai.google.dev/api/models#method:-models.list
const (
	pageUsual = 50
	pageMost  = 1000
)

// appendModels says one page of the models. A page's token is the last name of the one before,
// so that a list which changes in between repeats nothing.
func appendModels(b []byte, models []providers.ListedModel, query func(name string) string) []byte {
	size, err := strconv.Atoi(query("pageSize"))
	if err != nil || size < 1 {
		size = pageUsual
	}
	if after := query("pageToken"); after != "" {
		for i := range models {
			if models[i].ID == after {
				models = models[i+1:]
				break
			}
		}
	}
	page := models[:min(size, pageMost, len(models))]
	w := body{b: append(b, `{"models":[`...)}
	for i := range page {
		w.next()
		w.b = appendModel(w.b, &page[i])
	}
	w.shut(']')
	if len(page) < len(models) {
		w.field("nextPageToken", page[len(page)-1].ID)
	}
	w.shut('}')
	return w.b
}

// appendModel is one model as the API describes its own.
// Source: https://ai.google.dev/api/models#Model
func appendModel(b []byte, m *providers.ListedModel) []byte {
	w := body{b: append(b, '{')}
	w.field("name", "models/"+m.ID)
	w.field("displayName", m.ID)
	w.field("description", "served by "+m.OwnedBy)
	if m.Can.Context > 0 {
		w.rawField("inputTokenLimit", number(m.Can.Context))
	}
	if m.Can.MaxOutput > 0 {
		w.rawField("outputTokenLimit", number(m.Can.MaxOutput))
	}
	w.rawField("supportedGenerationMethods", quotedList(methods(m)))
	w.shut('}')
	return w.b
}

// methods are what a model answers to. One of which nobody knows what it makes may answer to all.
func methods(m *providers.ListedModel) []string {
	var list []string
	for _, one := range []struct {
		op   providers.Op
		name string
	}{
		{providers.OpChat, "generateContent"}, {providers.OpCountTokens, "countTokens"},
		{providers.OpEmbeddings, "embedContent"}, {providers.OpEmbeddings, "batchEmbedContents"},
	} {
		if len(m.Ops) == 0 || slices.Contains(m.Ops, one.op) {
			list = append(list, one.name)
		}
	}
	return list
}
