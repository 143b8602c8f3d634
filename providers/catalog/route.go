package catalog

import "github.com/aistrale/aistrale/providers"

// openaiRoutes serves the operations given in OpenAI's language.
func openaiRoutes(ops ...providers.Op) map[providers.Op]providers.Route {
	paths := map[providers.Op]string{
		providers.OpChat:        "/chat/completions",
		providers.OpCompletions: "/completions",
		providers.OpEmbeddings:  "/embeddings",
	}
	routes := make(map[providers.Op]providers.Route, len(ops))
	for _, op := range ops {
		routes[op] = providers.Route{Language: "openai", Path: paths[op]}
	}
	return routes
}

func anthropicRoutes() map[providers.Op]providers.Route {
	return map[providers.Op]providers.Route{
		providers.OpChat: {Language: "anthropic", Path: "/v1/messages"},
	}
}

func geminiRoutes() map[providers.Op]providers.Route {
	return map[providers.Op]providers.Route{
		providers.OpChat: {
			Language: "gemini", Path: "/models/{model}:generateContent",
			StreamPath: "/models/{model}:streamGenerateContent?alt=sse",
		},
		providers.OpEmbeddings: {Language: "gemini", Path: "/models/{model}:batchEmbedContents"},
	}
}

// featureExtraction is how HuggingFace serves embeddings: beside /v1, in words of its own.
func featureExtraction() providers.Route {
	return providers.Route{Language: "huggingface", Path: "//hf-inference/models/{model}/pipeline/feature-extraction"}
}
