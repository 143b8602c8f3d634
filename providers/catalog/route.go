package catalog

import (
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/huggingface"
	"github.com/aistrale/aistrale/providers/openai"
)

// Surfaces lists what clients see of the gateway, by their language.
func Surfaces() []providers.Surface {
	return []providers.Surface{openai.Surface(), anthropic.Surface(), gemini.Surface()}
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
		providers.OpConversations:   "/conversations",
		providers.OpContainers:      "/containers",
		providers.OpRealtime:        "/realtime",
	}
	routes := make(map[providers.Op][]providers.Route, len(ops))
	for _, op := range ops {
		governed := openai.Governed()
		if op == providers.OpRealtime {
			governed = openai.RealtimeGoverned()
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

func geminiRoutes() map[providers.Op][]providers.Route {
	return map[providers.Op][]providers.Route{
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
}

// huggingFaceRoutes are the router's chat, and the embeddings of the inference beside it. The
// router's dialect reads both their refusals.
func huggingFaceRoutes() map[providers.Op][]providers.Route {
	routes := openaiRoutes(providers.OpChat)
	routes[providers.OpEmbeddings] = []providers.Route{{
		Language: "huggingface", Dialect: openai.Dialect{}, Path: "//hf-inference/models/{model}/pipeline/feature-extraction",
		Governed: openai.Governed(), Pair: huggingface.FeatureExtraction(),
	}}
	return routes
}
