package catalog

import (
	"maps"
	"slices"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/huggingface"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
)

// Surfaces lists what clients see of the gateway, by their language. Responses stand among
// OpenAI's paths.
func Surfaces() []providers.Surface {
	s := openai.Surface()
	s.Endpoints = append(s.Endpoints, responses.Endpoints()...)
	return []providers.Surface{s, anthropic.Surface(), gemini.Surface()}
}

// WithResponses gives a provider of OpenAI's language with the Responses API. Compatible servers
// mostly have none, and of those that have one (Groq, Hugging Face's router) it is a beta that
// refuses more than their chat does: it takes an operator to say so.
func WithResponses(p providers.Provider) providers.Provider {
	chat := p.Routes[providers.OpChat]
	if slices.ContainsFunc(chat, func(r providers.Route) bool { return r.Language == responses.Language }) {
		return p
	}
	route := responsesRoute("/responses")
	if more := noResponses(p.Name); more != nil {
		quirks := p.Quirks
		quirks.Strip = slices.Concat(p.Quirks.Strip, more)
		route.Quirks = &quirks
	}
	p.Routes = maps.Clone(p.Routes)
	p.Routes[providers.OpChat] = append(slices.Clip(chat), route)
	return p
}

// noResponses lists what a known provider refuses in its Responses API, beside what it does in
// every language. A previous_response_id changes what is asked: the refusal is the provider's.
func noResponses(name string) []string {
	if name == "groq" {
		// Source: https://console.groq.com/docs/responses-api, unsupported features.
		return []string{"include", "prompt_cache_key", "safety_identifier", "truncation"}
	}
	return nil
}

// responsesRoute serves the Responses API, and what it keeps.
func responsesRoute(path string) providers.Route {
	return providers.Route{Language: responses.Language, Dialect: responses.Dialect{}, Path: path, Governed: responses.Governed()}
}

// openaiRoutes serves the operations given in OpenAI's language.
func openaiRoutes(ops ...providers.Op) map[providers.Op][]providers.Route {
	paths := map[providers.Op]string{
		providers.OpChat:        "/chat/completions",
		providers.OpCompletions: "/completions",
		providers.OpEmbeddings:  "/embeddings",

		providers.OpFiles:           "/files",
		providers.OpBatches:         "/batches",
		providers.OpUploads:         "/uploads",
		providers.OpVectorStores:    "/vector_stores",
		providers.OpStoredResponses: "/responses",
		providers.OpCountTokens:     "/responses/input_tokens",
		providers.OpConversations:   "/conversations",
		providers.OpContainers:      "/containers",
		providers.OpRealtime:        "/realtime",
		providers.OpModerations:     "/moderations",
		providers.OpSpeech:          "/audio/speech",
		providers.OpTranscription:   "/audio/transcriptions",
		providers.OpTranslation:     "/audio/translations",
		providers.OpImages:          "/images/generations",
		providers.OpImageEdits:      "/images/edits",
		providers.OpImageVariations: "/images/variations",
	}
	routes := make(map[providers.Op][]providers.Route, len(ops))
	for _, op := range ops {
		governed := openai.Governed()
		switch op {
		case providers.OpStoredResponses, providers.OpConversations, providers.OpCountTokens:
			routes[op] = []providers.Route{responsesRoute(paths[op])}
			continue
		case providers.OpRealtime:
			governed = openai.RealtimeGoverned()
		default:
		}
		routes[op] = []providers.Route{{Language: "openai", Dialect: openai.Dialect{}, Path: paths[op], Governed: governed}}
	}
	return routes
}

// keeping are the operations of a provider that keeps what OpenAI does.
func keeping() []providers.Op {
	return []providers.Op{
		providers.OpFiles, providers.OpBatches, providers.OpUploads, providers.OpVectorStores,
		providers.OpStoredResponses, providers.OpConversations, providers.OpContainers,
	}
}

// ownOps are the operations of OpenAI itself.
func ownOps() []providers.Op {
	return slices.Concat(keeping(), openaiOps(), []providers.Op{providers.OpCountTokens})
}

// openaiOps are those that compatible servers may have too.
func openaiOps() []providers.Op {
	return append(mediaOps(),
		providers.OpChat, providers.OpCompletions, providers.OpEmbeddings, providers.OpModerations,
		providers.OpImageVariations, providers.OpRealtime,
	)
}

// mediaOps are those of sounds and images that are not about to go.
func mediaOps() []providers.Op {
	return []providers.Op{
		providers.OpSpeech, providers.OpTranscription, providers.OpTranslation, providers.OpImages, providers.OpImageEdits,
	}
}

func anthropicRoutes() map[providers.Op][]providers.Route {
	routes := map[providers.Op][]providers.Route{}
	for op, path := range map[providers.Op]string{
		providers.OpChat:        "/v1/messages",
		providers.OpCountTokens: "/v1/messages/count_tokens",
	} {
		routes[op] = []providers.Route{{
			Language: "anthropic", Dialect: anthropic.Dialect{}, Path: path, Governed: anthropic.Governed(),
		}}
	}
	return routes
}

// anthropicKeeping are the routes of what Anthropic itself keeps.
func anthropicKeeping() map[providers.Op][]providers.Route {
	routes := anthropicRoutes()
	for op, path := range map[providers.Op]string{
		providers.OpFiles: "/v1/files", providers.OpBatches: "/v1/messages/batches", providers.OpSkills: "/v1/skills",
	} {
		routes[op] = []providers.Route{{
			Language: "anthropic", Dialect: anthropic.Dialect{}, Path: path, Governed: anthropic.Governed(), Headers: anthropic.StoredHeaders(op),
		}}
	}
	return routes
}

func geminiRoutes() map[providers.Op][]providers.Route {
	routes := map[providers.Op][]providers.Route{
		providers.OpChat: {{
			Language: "gemini", Dialect: gemini.Dialect{}, Path: "/models/{model}:generateContent",
			StreamPath: "/models/{model}:streamGenerateContent?alt=sse", Governed: gemini.Governed(),
		}},
		providers.OpCountTokens: {{
			Language: "gemini", Dialect: gemini.Dialect{}, Path: "/models/{model}:countTokens", Governed: gemini.Governed(),
		}},
		providers.OpEmbeddings: {
			{
				Language: "gemini", Dialect: gemini.Dialect{}, Path: "/models/{model}:batchEmbedContents",
				Governed: gemini.Governed(), Pair: gemini.Embeddings(),
			},
			{Language: "gemini", Dialect: gemini.Dialect{}, Path: "/models/{model}:batchEmbedContents", Governed: gemini.Governed()},
		},
	}
	geminiMedia(routes, gemini.Dialect{}, "/models/{model}")
	return routes
}

// geminiMedia adds the images and the speech that models make by generateContent.
func geminiMedia(routes map[providers.Op][]providers.Route, dialect providers.Dialect, model string) {
	images, speech := gemini.Images(), gemini.Speech(openai.Face{}.Broken)
	for op, pair := range map[providers.Op]*providers.Pair{
		providers.OpImages: images, providers.OpImageEdits: images, providers.OpSpeech: speech,
	} {
		r := providers.Route{
			Language: "gemini", Dialect: dialect, Path: model + ":generateContent", Governed: gemini.Governed(), Pair: pair,
		}
		if pair.Stream != nil {
			r.StreamPath = model + ":streamGenerateContent?alt=sse"
		}
		routes[op] = append(routes[op], r)
	}
}

// geminiKeeping are the routes of what Google's Developer API keeps, whose endpoints say whole paths.
func geminiKeeping() map[providers.Op][]providers.Route {
	routes := geminiRoutes()
	for _, op := range []providers.Op{providers.OpFiles, providers.OpCachedContents} {
		routes[op] = []providers.Route{{Language: "gemini", Dialect: gemini.Dialect{}, Governed: gemini.Governed()}}
	}
	return routes
}

// huggingFaceRoutes are the router's chat, and the tasks of the inference beside it. The router's
// dialect reads all their refusals. The router's other providers have bodies of their own for
// images and sounds, and their own names for models.
// Source: https://github.com/huggingface/huggingface.js packages/inference/src/providers.
func huggingFaceRoutes() map[providers.Op][]providers.Route {
	routes := openaiRoutes(providers.OpChat)
	task := func(path string, pair *providers.Pair) []providers.Route {
		return []providers.Route{{
			Language: "huggingface", Dialect: openai.Dialect{}, Path: "//hf-inference/models/{model}" + path,
			Governed: openai.Governed(), Pair: pair,
		}}
	}
	routes[providers.OpEmbeddings] = task("/pipeline/feature-extraction", huggingface.FeatureExtraction())
	routes[providers.OpImages] = task("", huggingface.TextToImage())
	routes[providers.OpTranscription] = task("", huggingface.SpeechRecognition())
	return routes
}
